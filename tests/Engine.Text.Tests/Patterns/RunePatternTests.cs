using NanoAspire.Engine.Text.Patterns;

namespace NanoAspire.Tests.Text.Patterns;

public sealed class RunePatternTests
{
    private const string Qwen2 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string O200k = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Cl100k = @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s";

    [Theory]
    [InlineData(Qwen2, "It's 12  x\n\n y", "It|'s| |1|2| | x|\n\n| y")]
    [InlineData(Qwen2, "THEY'RE o'ſ", "THEY|'RE| o|'ſ")]                  // ſ is an s to (?i)
    [InlineData(Qwen2, "a 𝒜𝓑 𐐀b 𠀀𠮷", "a| 𝒜𝓑| 𐐀b| 𠀀𠮷")]             // letters beyond the BMP
    [InlineData(Qwen2, "x𝟎𝟏½", "x|𝟎|𝟏|½")]                                // numbers beyond the BMP
    [InlineData(Qwen2, "a🙂🔥 🙂b", "a|🙂🔥| 🙂|b")]                        // symbols beyond the BMP
    [InlineData(Qwen2, "tail   ", "tail|   ")]
    [InlineData(O200k, "HelloWorld's CamelCASE 12345", "Hello|World's| Camel|CASE| |123|45")]
    [InlineData(O200k, "𐐀𐐨𐐀 𝒜b", "𐐀𐐨|𐐀| 𝒜b")]                           // Deseret capital, small, capital; a script capital
    [InlineData(Cl100k, "don't STOP'LL  \n  x ", "don|'t| STOP|'LL|  \n| | x| ")]
    [InlineData(@"[\p{Han}]+|[^\p{Han}]+", "漢字とkana", "漢字|とkana")]
    [InlineData(@"[\p{L}&&[^\p{Han}]]+", "ab漢cd", "ab|cd")]
    [InlineData(@"[一-龥]+", "a中文𠀀b", "中文")]
    [InlineData(@"[^a&&[a-c]]", "abcd", "b|c|d")]                          // the negation is outermost: not both a and in a-c
    [InlineData(@"[\]\-x-]+", "]-x-y", "]-x-")]
    [InlineData(@"\p{^L}|\PN|\pN", "a1!", "a|1|!")]
    public void Matches_by_code_point(string pattern, string text, string expected) => Assert.Equal(expected, string.Join('|', All(pattern, text)));

    [Theory]
    [InlineData("a*?b", "aab", "aab")]
    [InlineData("a+?", "aa", "a|a")]
    [InlineData("a++a", "aaa", "")]
    [InlineData("(?>a|ab)c", "abc", "")]
    [InlineData("(?:a|ab)c", "abc", "abc")]
    [InlineData("(?<=x)a|(?<!x)b", "xaxbab", "a|b")]
    [InlineData("a(?=b)", "abac", "a")]
    [InlineData("(a(b)?)+c", "abaabc", "abaabc")]
    [InlineData("a{2}", "aaaaa", "aa|aa")]
    [InlineData("a{2,}", "aaaaa", "aaaaa")]
    [InlineData("a{,2}b", "aaab", "aab")]
    [InlineData("a{1,2}+b", "aaaab", "aaaab")]                              // Oniguruma repeats an interval here, it does not make it possessive
    [InlineData("a{x}", "a{x}", "a{x}")]
    [InlineData(@"\bcat\b|\Bdog", "cat hotdog cats", "cat|dog")]
    [InlineData(@"\Aa|b\z|c$|^d", "aadc\ndab", "a|c|d|b")]
    [InlineData(@"x\n|\t|\x41|\x{1F642}|\u00e9", "x\n\tA🙂é", "x\n|\t|A|🙂|é")]
    [InlineData(".+", "ab\ncd", "ab|cd")]
    [InlineData("(?i)straße|k", "STRASSEK\u212AStraßE", "K|\u212A|StraßE")]
    [InlineData("(?i:a)b|(?-i:c)", "AbABc", "Ab|c")]
    [InlineData("(?<name>a)|(?:)b", "ab", "a|b")]
    public void Knows_the_dialect(string pattern, string text, string expected) => Assert.Equal(expected, string.Join('|', All(pattern, text)));

    [Theory]
    [InlineData("a)", "unbalanced")]
    [InlineData("(a", "missing ')'")]
    [InlineData("[a", "too early")]
    [InlineData("*a", "nothing to repeat")]
    [InlineData("(a*)*", "may be empty")]
    [InlineData(@"\p{Klingon}", @"\p{Klingon}")]
    [InlineData(@"(a)\1", @"\1 is not supported")]
    [InlineData(@"a\", "trailing backslash")]
    [InlineData("[z-a]", "backwards")]
    [InlineData("[[:alpha:]]", "POSIX")]
    [InlineData("(?<=a*)b", "varying length")]
    [InlineData("(?(1)a)", "not supported")]
    [InlineData("a{2,1}", "out of range")]
    [InlineData(@"\x{110000}", "not a hexadecimal code point")]
    [InlineData("((((((((((((((((((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))))))))))))))))))", "too deeply")]
    [InlineData("(((a{1000}){1000}){1000})", "too large")]
    public void Refuses_what_it_does_not_know(string pattern, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<FormatException>(() => RunePattern.Parse(pattern)).Message);

    [Fact]
    public void Gives_up_rather_than_backtrack_forever() =>
        Assert.Throws<FormatException>(() => All("(?:a|aa)+c", new string('a', 200)).ToList());

    [Fact]
    public void Long_runs_need_no_stack()
    {
        var text = new string('a', 1_000_000);
        Assert.Equal([text], All("(?:a|b)+", text));
    }

    private static IEnumerable<string> All(string pattern, string text)
    {
        var matcher = new RuneMatcher(RunePattern.Parse(pattern));
        for (var at = 0; at <= text.Length && matcher.Find(text, at, out var start, out var end); at = end > start ? end : end + 1)
        {
            if (end > start) yield return text[start..end];
        }
    }
}
