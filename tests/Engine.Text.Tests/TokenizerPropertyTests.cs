using System.Text;
using NanoAspire.Engine.Text;
using NanoAspire.Engine.Text.Unicode;

namespace NanoAspire.Tests.Text;

public sealed class TokenizerPropertyTests
{
    private static readonly Tokenizer Qwen = Load("qwen2-style");
    private static readonly Tokenizer DeepSeek = Load("deepseek-v3-style");

    [Fact]
    public void Decoding_undoes_encoding_for_any_text()
    {
        var random = new Random(7);
        for (var i = 0; i < 2000; i++)
        {
            var text = RandomText(random);
            Assert.Equal(text, DeepSeek.Decode(DeepSeek.Encode(text, addSpecialTokens: false), skipSpecialTokens: false));
            var normal = UnicodeNormalizer.Normalize(text, NormalizationForm.FormC);
            Assert.Equal(normal, Qwen.Decode(Qwen.Encode(text), skipSpecialTokens: false));
        }
    }

    [Fact]
    public void The_bytes_of_the_tokens_are_the_bytes_of_the_text()
    {
        var random = new Random(8);
        for (var i = 0; i < 500; i++)
        {
            var text = RandomText(random);
            var bytes = DeepSeek.Encode(text, addSpecialTokens: false).SelectMany(id => DeepSeek.TokenBytes(id).ToArray());
            Assert.Equal(Encoding.UTF8.GetBytes(text), bytes.ToArray());
        }
    }

    [Fact]
    public void Detokenizing_agrees_with_decoding_at_every_prefix()
    {
        var random = new Random(9);
        foreach (var tokenizer in new[] { Qwen, DeepSeek })
        {
            for (var i = 0; i < 300; i++)
            {
                var skip = i % 2 == 0;
                var ids = Enumerable.Range(0, random.Next(1, 25)).Select(_ => random.Next(-1, tokenizer.VocabSize + 2)).ToArray();
                var detokenizer = new Detokenizer(tokenizer, skip);
                var sofar = "";
                for (var n = 0; n < ids.Length; n++)
                {
                    sofar += detokenizer.Append(ids[n]);
                    var whole = tokenizer.Decode(ids[..(n + 1)], skip);
                    // What is out already is final: only the bytes of one unfinished character, one U+FFFD, may be missing.
                    Assert.StartsWith(sofar, whole);
                    Assert.True(whole.Length - sofar.Length <= 1 && whole[sofar.Length..] is "" or "\uFFFD");
                }
                Assert.Equal(tokenizer.Decode(ids, skip), sofar + detokenizer.Flush());
            }
        }
    }

    [Fact]
    public void A_character_comes_out_whole_and_a_broken_one_only_when_it_is_certain()
    {
        int[] bytes = [.. Encoding.UTF8.GetBytes("🙂").Select(ByteToken)];
        var detokenizer = new Detokenizer(Qwen, skipSpecialTokens: false);
        Assert.Equal(["", "", "", "🙂"], bytes.Select(detokenizer.Append));
        Assert.Equal("", detokenizer.Flush());

        Assert.Equal("", detokenizer.Append(bytes[0]));
        Assert.Equal("\uFFFDa", detokenizer.Append(Qwen.TokenId("a")!.Value));
        Assert.Equal("", detokenizer.Append(bytes[0]));
        Assert.Equal("\uFFFD", detokenizer.Flush());
        Assert.Equal("", detokenizer.Flush());
    }

    [Fact]
    public void Lone_surrogates_are_read_as_replacement_characters() =>
        Assert.Equal(DeepSeek.Encode("a\uFFFDb\uFFFD"), DeepSeek.Encode("a\uD83Db\uDE42"));

    [Theory]
    [InlineData("ab")]
    [InlineData("中")]
    [InlineData("!")]
    [InlineData(" ")]
    [InlineData("\u0301\u0323")]
    public void A_megabyte_without_a_break_is_encoded(string unit)
    {
        // Quadratic merging or matching would take hours here, not fractions of a second.
        var text = new StringBuilder().Insert(0, unit, (1 << 20) / unit.Length).ToString();
        Assert.Equal(text, DeepSeek.Decode(DeepSeek.Encode(text, addSpecialTokens: false), skipSpecialTokens: false));
        Assert.NotEmpty(Qwen.Encode(text));
    }

    [Fact]
    public void Threads_share_a_tokenizer_and_its_cache()
    {
        var tokenizer = Load("qwen2-style");
        var random = new Random(10);
        var texts = Enumerable.Range(0, 200).Select(_ => RandomText(random)).ToArray();
        var expected = Array.ConvertAll(texts, text => Qwen.Encode(text));
        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < texts.Length; i++) Assert.Equal(expected[i], tokenizer.Encode(texts[i]));
        });
    }

    [Fact]
    public void More_pieces_than_the_cache_holds_are_still_right()
    {
        var tokenizer = Load("qwen2-style");
        var before = tokenizer.Encode("remember");
        for (var i = 0; i < 6; i++) tokenizer.Encode(string.Join(' ', Enumerable.Range(i * 10_000, 10_000).Select(n => "x" + string.Concat(n.ToString().Select(c => (char)(c + 49))))));
        Assert.Equal(before, tokenizer.Encode("remember"));
    }

    private static int ByteToken(byte b) => Enumerable.Range(0, Qwen.VocabSize).First(id => Qwen.TokenBytes(id).Span is [var only] && only == b);

    private static Tokenizer Load(string name) => Tokenizer.Load(Path.Combine(RepositoryPaths.Goldens, "tokenizer", name));

    /// <summary>Letters, digits, spaces and punctuation mixed with characters from all planes.</summary>
    private static string RandomText(Random random)
    {
        var text = new StringBuilder();
        for (var n = random.Next(40); n > 0; n--)
        {
            var point = random.Next(6) switch
            {
                0 => random.Next(0x110000),
                1 => random.Next(0x80, 0x3000),
                2 => random.Next(0x1F000, 0x20000),
                _ => random.Next(9, 0x7F),
            };
            if (Rune.IsValid(point)) text.Append(new Rune(point));
        }
        return text.ToString();
    }
}
