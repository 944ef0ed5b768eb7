using System.Text;
using System.Text.Json;
using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Tests.Text.Grammar;

/// <summary>Texts that a grammar takes and texts that it does not.</summary>
public sealed class AcceptanceTests
{
    private static readonly GrammarVocabulary Bytes = Vocabularies.Of();

    [Theory]
    [InlineData("a|bc", "a", "bc", "!abc", "!b", "!")]
    [InlineData("[^a-c]\\.", "d.", "é.", "中.", "😀.", "!a.", "!dx")]
    [InlineData("(?:x{2,3}|y+?)*", "", "xx", "xxxyyxx", "!x")]
    [InlineData("\\d\\w\\s\\D\\W\\S", "1_ a-b", "!a_ a-b", "!1_ 1-b")]
    [InlineData("\\x41\\u0042\\u{43}\\t[\\]\\-\\b]", "ABC\t]", "ABC\t-", "ABC\t\b", "!ABC\ta")]
    [InlineData("\\p{Lu}\\P{L}", "A1", "É ", "!a1", "!AB")]
    [InlineData("[\\ud83d\\ude00-\\ud83d\\ude02]", "😀", "😁", "!😃")]
    [InlineData(".", "x", "中", "!\n", "!")]
    [InlineData("[]|[^]", "\n", "x", "!")]
    [InlineData("^a$|b", "a", "b", "!ab")]
    public void A_regex_matches_the_whole_text(string pattern, params string[] texts) => Check(new OutputConstraint.Regex(pattern), texts);

    [Theory]
    [InlineData("b[0-9]c", "\"b1c\"", "\"xb1cy\"", "\"\\n\\\"b1c\"", "!\"bc\"", "!b1c")]
    [InlineData("^a|b$", "\"ax\"", "\"xb\"", "!\"xax\"", "!\"\"")]
    [InlineData("", "\"\"", "\"x\"")]
    public void A_pattern_is_searched_for(string pattern, params string[] texts) => Check(Schema($$"""{"type":"string","pattern":{{JsonSerializer.Serialize(pattern)}}}"""), texts);

    [Theory]
    [InlineData("""{"type":"string"}""", "\"\"", "\"\\u0041\\uD83D\\ude00 é 😀\"", "\"\\/\\b\"", "!\"\\ud83d\"", "!\"\\ude00\"", "!\"\n\"", "!\"\\x\"", "!'a'")]
    [InlineData("""{"type":"string","maxLength":2}""", "\"a😀\"", "\"\\ud83d\\ude00b\"", "!\"abc\"")]
    [InlineData("""{"type":"integer","minimum":9,"maximum":1203}""", "9", "10", "99", "999", "1203", "!8", "!1204", "!09", "!-9", "!9.0")]
    [InlineData("""{"type":"integer","minimum":-120,"maximum":-99}""", "-99", "-100", "-120", "!-121", "!-98", "!99")]
    [InlineData("""{"type":"number","exclusiveMinimum":0.25,"maximum":0.5}""", "0.26", "0.2500001", "0.5", "0.500", "!0.25", "!0.250", "!0.51", "!0", "!1")]
    [InlineData("""{"type":"number","minimum":-1.5,"maximum":10}""", "-1.5", "0", "0.0", "-0.1", "9.999", "10", "10.0", "!-1.51", "!10.1", "!11", "!-2")]
    [InlineData("""{"type":"number"}""", "-0", "1.5e+10", "2E-7", "!01", "!.5", "!1.", "!1e", "!+1", "!1e400")]
    [InlineData("""{"type":"array","items":{"type":"integer"}}""", "[]", "[ ]", "[1,2]", "[1, 2]", "[\n  1,\n  2\n]", "![1,]", "![,1]", "![1  ,2]")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}}}""", "{}", "{\"a\":1}", "{\"b\": 1}", "{\"a\":1,\"b\":2}", "!{\"b\":1,\"a\":2}", "!{\"c\":1}", "!{\"a\":1,}")]
    [InlineData("""{"type":"object","properties":{"ab":{"type":"integer"}},"additionalProperties":{"type":"null"}}""", "{\"ab\":1,\"a\":null,\"abc\":null,\"\":null}", "!{\"ab\":null}", "!{\"\\u0061b\":null}", "!{\"a\":1}")]
    [InlineData("""{"const":{"a":[1,"x"]}}""", "{\"a\":[1,\"x\"]}", "{\n \"a\": [ 1, \"x\" ] }", "!{\"a\":[1]}")]
    [InlineData("""{"anyOf":[{"$ref":"#"},{"const":1},{"type":"array","items":{"$ref":"#"}}]}""", "1", "[[1],1]", "!2")]
    [InlineData("""{"type":"string","nullable":true}""", "null", "\"a\"")]
    [InlineData("""{"type":"string","format":"date"}""", "\"2024-02-28\"", "\"1999-12-31\"", "!\"2024-02-30\"", "!\"2024-04-31\"", "!\"24-1-1\"")]
    public void A_schema_takes_its_values(string schema, params string[] texts) => Check(Schema(schema), texts);

    [Fact]
    public void Choices_are_taken_literally() => Check(new OutputConstraint.Choice(["yes", "yes, sir", "中"]), "yes", "yes, sir", "中", "!no", "!yes,", "!");

    [Fact]
    public void A_thought_may_come_first()
    {
        OutputConstraint answer = new OutputConstraint.Choice(["A", "B"]);
        Check(new OutputConstraint.AfterThought(Open: true, answer), "hm</think>A", "<b> </think>\n\nB", "!A", "!hm</think>C", "!a<think>b</think>A", "!x</think></think>A");
        Check(new OutputConstraint.AfterThought(Open: false, answer), "A", "<think>\nhm\n</think>\n\nB", "!hm</think>A");
        Check(new OutputConstraint.Either(answer, new OutputConstraint.JsonObject()), "A", "{}", "!A{}");
    }

    [Fact]
    public void An_added_token_is_allowed_by_itself_and_not_by_its_bytes()
    {
        var markers = new Dictionary<string, int> { ["</think>"] = 256 };
        var grammar = GrammarCompiler.Compile(new OutputConstraint.AfterThought(Open: true, new OutputConstraint.Choice(["A"])),
            GrammarVocabulary.Create([.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }), null], markers));
        var spelled = new GrammarMatcher(grammar);
        foreach (var c in "x</think") Assert.True(spelled.TryAccept(c));
        Assert.False(spelled.Mask.Allows('>'));
        Assert.True(spelled.Mask.Allows(256));
        Assert.False(spelled.Mask.Allows('A') && spelled.IsComplete);
        Assert.True(spelled.TryAccept(256) && spelled.TryAccept('A') && spelled.IsComplete);
        Assert.False(spelled.TryAccept(256));
    }

    private static OutputConstraint.JsonSchema Schema(string schema) => new(JsonDocument.Parse(schema).RootElement);

    /// <summary>A text with '!' before it must be refused.</summary>
    private static void Check(OutputConstraint constraint, params string[] texts)
    {
        var grammar = GrammarCompiler.Compile(constraint, Bytes);
        foreach (var text in texts)
        {
            var refused = text.StartsWith('!');
            Assert.True(Takes(grammar, refused ? text[1..] : text) != refused, refused ? $"took {text[1..]}" : $"refused {text}");
        }
    }

    private static bool Takes(CompiledGrammar grammar, string text)
    {
        var matcher = new GrammarMatcher(grammar);
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            var allowed = matcher.Mask.Allows(value);
            Assert.Equal(allowed, matcher.TryAccept(value));
            if (!allowed) return false;
        }
        return matcher.IsComplete;
    }
}
