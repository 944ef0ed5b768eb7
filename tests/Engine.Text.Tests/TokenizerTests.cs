using NanoAspire.Engine.Text;

namespace NanoAspire.Tests.Text;

/// <summary>Each part of a tokenizer.json with a vocabulary small enough to work out by hand.</summary>
public sealed class TokenizerTests
{
    private const string ByteLevelDecoder = """{"type":"ByteLevel"}""";

    [Fact]
    public void Merges_the_lowest_rank_first_and_leftmost_of_equals()
    {
        // b c (rank 0) beats a b (rank 1); of the two pairs in "aaa" the left one goes.
        var tokenizer = TokenizerFolder.Tokenizer(["a", "b", "c", "bc", "ab", "aa"], ["b c", "a b", "a a"]);
        Assert.Equal(["a", "bc"], Texts(tokenizer, "abc"));
        Assert.Equal(["ab", "ab"], Texts(tokenizer, "abab"));
        Assert.Equal(["aa", "a"], Texts(tokenizer, "aaa"));
    }

    [Fact]
    public void Merges_again_what_it_has_merged()
    {
        var tokenizer = TokenizerFolder.Tokenizer(["a", "aa", "aaaa"], ["a a", "aa aa"]);
        Assert.Equal(["aaaa", "aaaa", "aa", "a"], Texts(tokenizer, new string('a', 11)));
    }

    [Fact]
    public void Takes_a_whole_piece_over_its_merges_when_told_to()
    {
        string[] vocabulary = ["a", "b", "ab", "aba"];
        Assert.Equal(["ab", "a"], Texts(TokenizerFolder.Tokenizer(vocabulary, ["a b"]), "aba"));
        Assert.Equal(["aba"], Texts(TokenizerFolder.Tokenizer(vocabulary, ["a b"], model: """{"ignore_merges":true}"""), "aba"));
    }

    [Theory]
    [InlineData("""{"unk_token":"?"}""", "a????b")]
    [InlineData("""{"unk_token":"?","fuse_unk":true}""", "a?b")]
    [InlineData("{}", "ab")]
    public void Unknown_characters_become_the_unknown_token_or_nothing(string model, string expected) =>
        Assert.Equal(expected, string.Concat(Texts(TokenizerFolder.Tokenizer(["a", "b", "?"], [], model: model), "axyz𝒜b")));

    [Fact]
    public void Falls_back_to_the_bytes_of_an_unknown_character_when_all_are_tokens()
    {
        var tokenizer = TokenizerFolder.Tokenizer(["a", "?", "<0xC3>", "<0xA9>"], [], model: """{"byte_fallback":true,"unk_token":"?"}""");
        Assert.Equal(["a", "<0xC3>", "<0xA9>", "?"], Texts(tokenizer, "aéê"));
    }

    [Fact]
    public void Marks_continuations_and_word_ends()
    {
        var tokenizer = TokenizerFolder.Tokenizer(["a", "##b", "##b</w>", "ab</w>", "a</w>"], ["a ##b</w>"],
            model: """{"continuing_subword_prefix":"##","end_of_word_suffix":"</w>"}""");
        Assert.Equal(["ab</w>"], Texts(tokenizer, "ab"));
        Assert.Equal(["a", "##b", "##b</w>"], Texts(tokenizer, "abb"));
        Assert.Equal(["a</w>"], Texts(tokenizer, "a"));
    }

    [Theory]
    [InlineData("Removed", false, "a|b")]
    [InlineData("Isolated", false, "a|-|-|b|-")]
    [InlineData("MergedWithPrevious", false, "a-|-|b-")]
    [InlineData("MergedWithNext", false, "a|-|-b|-")]
    [InlineData("Contiguous", false, "a|--|b|-")]
    [InlineData("Removed", true, "-|-|-")]
    [InlineData("MergedWithPrevious", true, "a|-|-b|-")]
    public void Splits_at_a_pattern_in_every_manner(string behavior, bool invert, string expected)
    {
        var split = $$"""{"type":"Split","pattern":{"String":"-"},"behavior":"{{behavior}}","invert":{{(invert ? "true" : "false")}}}""";
        Assert.Equal(expected, string.Join('|', Pieces(split, "a--b-")));
    }

    [Theory]
    [InlineData("""{"type":"Digits","individual_digits":true}""", "ab12٣", "ab|1|2|٣")]
    [InlineData("""{"type":"Digits"}""", "ab12٣c", "ab|12٣|c")]
    [InlineData("""{"type":"Split","pattern":{"Regex":"\\p{N}{1,3}"},"behavior":"Isolated"}""", "12345x", "123|45|x")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"Split","pattern":{"Regex":"b"},"behavior":"Isolated"}]}""", "abc12", "a|b|c|12")]
    public void Pre_tokenizes(string preTokenizer, string text, string expected) => Assert.Equal(expected, string.Join('|', Pieces(preTokenizer, text)));

    [Theory]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true}""", "a b", "Ġa Ġb")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true}""", " a", "Ġa")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":false}""", "a b", "a Ġb")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}""", "a b", "aĠb")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":false}""", "it's\u00ad", "it 's ÂŃ")]
    public void Spells_pieces_in_the_byte_alphabet(string preTokenizer, string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', Pieces(preTokenizer, text)));

    [Theory]
    [InlineData("""{"type":"NFC"}""", "e\u0301", "é")]
    [InlineData("""{"type":"NFD"}""", "é", "e\u0301")]
    [InlineData("""{"type":"NFKC"}""", "ﬁ①", "fi1")]
    [InlineData("""{"type":"NFKD"}""", "é½", "e\u03011⁄2")]
    [InlineData("""{"type":"Lowercase"}""", "ÀB", "àb")]
    [InlineData("""{"type":"Replace","pattern":{"String":" "},"content":"▁"}""", "a b", "a▁b")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"\\s+"},"content":"_"}""", "a \n b", "a_b")]
    [InlineData("""{"type":"Prepend","prepend":"▁"}""", "a", "▁a")]
    [InlineData("""{"type":"Strip","strip_left":true,"strip_right":false}""", " a ", "a ")]
    [InlineData("""{"type":"Sequence","normalizers":[{"type":"Lowercase"},{"type":"Prepend","prepend":"x"}]}""", "A", "xa")]
    public void Normalizes(string normalizer, string text, string expected)
    {
        var tokenizer = TokenizerFolder.Tokenizer([.. expected.EnumerateRunes().Select(rune => rune.ToString()).Distinct()], [], normalizer);
        Assert.Equal(expected, string.Concat(Texts(tokenizer, text)));
    }

    [Theory]
    [InlineData("{}", "a<x>b", "a <x> b")]
    [InlineData("{}", "a  <x>  b", "a _ _ <x> _ _ b")]
    [InlineData("""{"lstrip":true}""", "a  <x>  b", "a <x> _ _ b")]
    [InlineData("""{"rstrip":true}""", "a  <x>  b", "a _ _ <x> b")]
    [InlineData("""{"lstrip":true,"rstrip":true}""", "a <x> \n<x> b", "a <x> <x> b")]
    [InlineData("""{"single_word":true}""", "a<x>b <x> (<x>)", "a < x > b _ <x> _ ( <x> )")]
    [InlineData("""{"single_word":true}""", "<x><x>", "<x> <x>")]
    public void Finds_added_tokens_as_their_flags_say(string flags, string text, string expected)
    {
        var token = flags.Insert(1, "\"id\":50,\"content\":\"<x>\",\"special\":true" + (flags == "{}" ? "" : ","));
        var tokenizer = TokenizerFolder.Tokenizer(["a", "b", "_", "<", "x", ">", "(", ")"], [], addedTokens: $"[{token}]",
            normalizer: """{"type":"Replace","pattern":{"String":" "},"content":"_"}""");
        Assert.Equal(expected, string.Join(' ', Texts(tokenizer, text)));
    }

    [Fact]
    public void Prefers_the_longest_added_token()
    {
        var tokenizer = TokenizerFolder.Tokenizer(["a", "<", "t"], [], addedTokens: """[{"id":10,"content":"<t"},{"id":11,"content":"<t>"},{"id":12,"content":"<t><t>"}]""");
        Assert.Equal([12, 11, 10, 0], tokenizer.Encode("<t><t><t><ta"));
    }

    [Theory]
    [InlineData("true", "9 1 9")]
    [InlineData("false", "0 1 9")]
    public void Looks_for_normalized_tokens_in_the_normalized_text(string normalized, string expected)
    {
        // Lowercase makes É into é: a normalized token is then found as é, an unnormalized one only as written.
        var tokenizer = TokenizerFolder.Tokenizer(["é", " "], [], normalizer: """{"type":"Lowercase"}""",
            addedTokens: $$"""[{"id":9,"content":"É","normalized":{{normalized}} }]""");
        Assert.Equal(expected, string.Join(' ', tokenizer.Encode("é É")));
    }

    [Fact]
    public void Puts_the_template_of_the_post_processor_around_a_text()
    {
        const string Template = """
            {"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing",
              "single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"</s>","type_id":0}}],
              "pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[7],"tokens":["<s>"]},"</s>":{"id":"</s>","ids":[8,9],"tokens":["</s>","</s>"]}}}]}
            """;
        var tokenizer = TokenizerFolder.Tokenizer(["a"], [], postProcessor: Template);
        Assert.Equal([7, 0, 8, 9], tokenizer.Encode("a"));
        Assert.Equal([0], tokenizer.Encode("a", addSpecialTokens: false));
        Assert.Equal([7, 8, 9], tokenizer.Encode(""));
    }

    [Theory]
    [InlineData("LlamaTokenizerFast", "true", "false", "9 0")]
    [InlineData("LlamaTokenizer", "true", "true", "9 0 10")]
    [InlineData("LlamaTokenizerFast", "false", "false", "0")]
    [InlineData("Qwen2Tokenizer", "true", "true", "0")]
    public void Obeys_add_bos_token_where_the_class_does(string className, string bos, string eos, string expected)
    {
        var tokenizer = TokenizerFolder.Tokenizer(["a"], [], addedTokens: """[{"id":9,"content":"<s>","special":true},{"id":10,"content":"</s>","special":true}]""",
            config: $$"""{"tokenizer_class":"{{className}}","add_bos_token":{{bos}},"add_eos_token":{{eos}},"bos_token":"<s>","eos_token":{"content":"</s>"} }""");
        Assert.Equal(expected, string.Join(' ', tokenizer.Encode("a")));
    }

    [Fact]
    public void Knows_its_tokens()
    {
        var tokenizer = TokenizerFolder.Tokenizer(["a", "Ġb", "Ã"], [], decoder: ByteLevelDecoder,
            addedTokens: """[{"id":5,"content":"<eos>","special":true},{"id":6,"content":"<tool>"}]""",
            config: """{"eos_token":"<eos>","pad_token":null,"extra_special_tokens":{"image_token":"<tool>"}}""");
        Assert.Equal(7, tokenizer.VocabSize);
        Assert.Equal(["a", "Ġb", "Ã", "", "", "<eos>", "<tool>", "", ""], Enumerable.Range(0, 8).Append(-1).Select(tokenizer.TokenText));
        Assert.Equal([5], Enumerable.Range(-1, 10).Where(tokenizer.IsSpecial));
        Assert.Equal(1, tokenizer.TokenId("Ġb"));
        Assert.Equal(5, tokenizer.TokenId("<eos>"));
        Assert.Null(tokenizer.TokenId("nope"));
        Assert.Equal(" b"u8.ToArray(), tokenizer.TokenBytes(1).ToArray());
        Assert.Equal([0xC3], tokenizer.TokenBytes(2).ToArray());
        Assert.Equal("<eos>"u8.ToArray(), tokenizer.TokenBytes(5).ToArray());
        Assert.True(tokenizer.TokenBytes(4).IsEmpty);
        Assert.Equal(new Dictionary<string, string> { ["eos_token"] = "<eos>", ["image_token"] = "<tool>" }, tokenizer.SpecialTokens);
        Assert.Equal("a b<tool>", tokenizer.Decode([0, 5, 1, 4, 99, -1, 6], skipSpecialTokens: true));
    }

    [Fact]
    public void Named_special_tokens_of_the_vocabulary_are_special()
    {
        var tokenizer = TokenizerFolder.Tokenizer(["a", "<", "e", ">", "<e>"], [], config: """{"eos_token":"<e>"}""");
        Assert.True(tokenizer.IsSpecial(4));
        Assert.Equal([0, 4], tokenizer.Encode("a<e>"));
    }

    private static IEnumerable<string> Texts(Tokenizer tokenizer, string text) => tokenizer.Encode(text).Select(tokenizer.TokenText);

    /// <summary>The pieces, seen through a model that takes each whole: merges cannot cross a cut, so unmergeable pieces are tokens of their own.</summary>
    private static string[] Pieces(string preTokenizer, string text)
    {
        var all = Enumerable.Range(0, text.Length + 8);
        // Every substring of what the pieces can be made of, as tokens that win over merges.
        var spelled = " " + text;
        var bytes = new System.Text.StringBuilder();
        foreach (var b in System.Text.Encoding.UTF8.GetBytes(spelled)) bytes.Append(ByteChar(b));
        var sources = new[] { text, bytes.ToString() };
        var vocabulary = sources.SelectMany(source => all.SelectMany(start => all.Where(end => start < end && end <= source.Length).Select(end => source[start..end]))).Distinct().ToArray();
        var tokenizer = TokenizerFolder.Tokenizer(vocabulary, [], preTokenizer: preTokenizer, model: """{"ignore_merges":true}""");
        return [.. Texts(tokenizer, text)];
    }

    private static char ByteChar(byte b)
    {
        if (b is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174) return (char)b;
        return (char)(256 + Enumerable.Range(0, b).Count(c => c is not ((>= 33 and <= 126) or (>= 161 and <= 172) or >= 174)));
    }
}
