using System.Text;
using NanoAspire.Engine.Text.Unicode;

namespace NanoAspire.Tests.Text.Unicode;

public sealed class UnicodeNormalizerTests
{
    [Theory]
    // text, NFC, NFD, NFKC, NFKD
    [InlineData("plain ASCII", "plain ASCII", "plain ASCII", "plain ASCII", "plain ASCII")]
    [InlineData("\u00E9", "\u00E9", "e\u0301", "\u00E9", "e\u0301")]
    [InlineData("\u212B", "\u00C5", "A\u030A", "\u00C5", "A\u030A")]                                        // a singleton: the Ångström sign
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323", "\u017F\u0323\u0307", "\u1E69", "s\u0323\u0307")]             // marks change places
    [InlineData("a\u0315\u0300\u05AE\u0300b", "\u00E0\u05AE\u0300\u0315b", "a\u05AE\u0300\u0300\u0315b", "\u00E0\u05AE\u0300\u0315b", "a\u05AE\u0300\u0300\u0315b")]
    [InlineData("\uAC01", "\uAC01", "\u1100\u1161\u11A8", "\uAC01", "\u1100\u1161\u11A8")]                    // Hangul
    [InlineData("\u1100\u1161\u11A8\u11A8", "\uAC01\u11A8", "\u1100\u1161\u11A8\u11A8", "\uAC01\u11A8", "\u1100\u1161\u11A8\u11A8")]
    [InlineData("\u0958", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C")]                    // excluded from composition
    [InlineData("\uFB01\u2460\uFF21", "\uFB01\u2460\uFF21", "\uFB01\u2460\uFF21", "fi1A", "fi1A")]
    [InlineData("\U0001D49C\U0001D7CE", "\U0001D49C\U0001D7CE", "\U0001D49C\U0001D7CE", "A0", "A0")]          // mathematical letters and digits, by range
    [InlineData("\U0001D15E", "\U0001D157\U0001D165", "\U0001D157\U0001D165", "\U0001D157\U0001D165", "\U0001D157\U0001D165")]
    [InlineData("\U00011099\U000110BA", "\U0001109A", "\U00011099\U000110BA", "\U0001109A", "\U00011099\U000110BA")]
    public void Normalizes_to_every_form(string text, string c, string d, string kc, string kd)
    {
        Assert.Equal(c, UnicodeNormalizer.Normalize(text, NormalizationForm.FormC));
        Assert.Equal(d, UnicodeNormalizer.Normalize(text, NormalizationForm.FormD));
        Assert.Equal(kc, UnicodeNormalizer.Normalize(text, NormalizationForm.FormKC));
        Assert.Equal(kd, UnicodeNormalizer.Normalize(text, NormalizationForm.FormKD));
    }

    [Fact]
    public void The_forms_agree_with_each_other_for_every_character()
    {
        // Beyond these planes nothing decomposes or combines.
        foreach (var point in Enumerable.Range(0, 0x20000).Concat(Enumerable.Range(0x2F800, 0x220)))
        {
            if (!Rune.IsValid(point)) continue;
            var text = "a" + new Rune(point) + "\u0301";
            var c = UnicodeNormalizer.Normalize(text, NormalizationForm.FormC);
            var d = UnicodeNormalizer.Normalize(text, NormalizationForm.FormD);
            if (c == text && d == text) continue;
            Assert.Equal(c, UnicodeNormalizer.Normalize(d, NormalizationForm.FormC));
            Assert.Equal(d, UnicodeNormalizer.Normalize(c, NormalizationForm.FormD));
            Assert.Equal(c, UnicodeNormalizer.Normalize(c, NormalizationForm.FormC));
            Assert.Equal(UnicodeNormalizer.Normalize(d, NormalizationForm.FormKD), UnicodeNormalizer.Normalize(text, NormalizationForm.FormKD));
        }
    }
}
