using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Answers;
using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Tests.Text.Grammar;

/// <summary>Calls drawn at random under a family's grammar are read by that family's parser, and their arguments satisfy the schemas.</summary>
public sealed class ToolCallGrammarTests
{
    private const string Tools = """
        [
          {"type":"function","function":{"name":"get_weather","strict":true,"parameters":{"type":"object","properties":{
            "city":{"type":"string","minLength":1,"maxLength":8},"unit":{"type":"string","enum":["c","f"]},"days":{"type":"integer","minimum":1,"maximum":14},
            "note":{"type":"string"},"where":{"type":"object","properties":{"lat":{"type":"number","minimum":-90,"maximum":90}},"required":["lat"],"additionalProperties":false},
            "flags":{"type":"array","items":{"type":"boolean"},"maxItems":3}},
            "required":["city","unit","where"],"additionalProperties":false}}},
          {"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}}}}
        ]
        """;

    public static TheoryData<string> Syntaxes => [.. GrammarCompiler.CallSyntaxes];

    [Theory, MemberData(nameof(Syntaxes))]
    public void Required_calls_are_read_back(string syntax)
    {
        var calls = Read(syntax, required: true, parallel: true, runs: 30, out var contents);
        Assert.All(contents, content => Assert.Equal("", content.Trim()));
        Assert.Contains(calls, list => list.Exists(call => call.Name == "get_weather"));
        Assert.Contains(calls, list => list.Exists(call => call.Name == "now"));
        Assert.All(calls, list => Assert.NotEmpty(list));
        Assert.Contains(calls, list => list.Count > 1);
    }

    [Theory, MemberData(nameof(Syntaxes))]
    public void One_call_is_one(string syntax) => Assert.All(Read(syntax, required: true, parallel: false, runs: 12, out _), list => Assert.Single(list));

    [Theory, InlineData("hermes"), InlineData("deepseek_v31"), InlineData("glm45"), InlineData("kimi_k2")]
    public void Where_the_model_chooses_there_may_be_text_and_calls_are_still_whole(string syntax)
    {
        var calls = Read(syntax, required: false, parallel: true, runs: 60, out _);
        Assert.Contains(calls, list => list.Count == 0);
    }

    [Fact]
    public void A_schema_that_cannot_be_kept_is_refused_when_strict_and_ignored_otherwise()
    {
        var parameters = JsonDocument.Parse("""{"type":"object","properties":{"a":{"type":"array","uniqueItems":true}}}""").RootElement;
        var vocabulary = Vocabularies.Get("nano-demo").Vocabulary;
        var e = Assert.Throws<GrammarException>(() => GrammarCompiler.Compile(new OutputConstraint.ToolCalls("hermes", [new("f", parameters, Strict: true)], true, true), vocabulary));
        Assert.Equal("$.tools[0].function.parameters.properties.a", e.Path);
        GrammarCompiler.Compile(new OutputConstraint.ToolCalls("hermes", [new("f", parameters, Strict: false)], true, true), vocabulary);
        GrammarCompiler.Compile(new OutputConstraint.ToolCalls("qwen3_xml", [new("f", parameters, Strict: false)], true, true), vocabulary);
        Assert.Throws<GrammarException>(() => GrammarCompiler.Compile(new OutputConstraint.ToolCalls("hermes", [new("f g", null, Strict: false)], true, true), vocabulary));
    }

    [Fact]
    public void Markers_that_are_added_tokens_are_written_as_such()
    {
        var (tokenizer, vocabulary) = Vocabularies.Get("nano-demo");
        var grammar = GrammarCompiler.Compile(new OutputConstraint.ToolCalls("hermes", [new("now", null, Strict: false)], true, false), vocabulary);
        Assert.Equal([tokenizer.TokenId("<tool_call>")!.Value], new GrammarMatcher(grammar).Mask.Tokens());
        var (_, tokens, finished) = GrammarWriter.Write(grammar, new Random(1), patience: 0);
        Assert.True(finished);
        Assert.Equal(tokenizer.TokenId("</tool_call>"), tokens[^1]);
    }

    private static List<List<(string Name, string Arguments)>> Read(string syntax, bool required, bool parallel, int runs, out List<string> contents)
    {
        using var tools = JsonDocument.Parse(Tools);
        var functions = tools.RootElement.EnumerateArray().Select(tool => tool.GetProperty("function")).Select(function =>
            new ToolFunction(function.GetProperty("name").GetString()!, function.GetProperty("parameters"), function.TryGetProperty("strict", out _))).ToArray();
        var validators = functions.ToDictionary(function => function.Name, function => new SchemaValidator(JsonNode.Parse(function.Parameters!.Value.GetRawText())));
        var schemas = ToolSchemas.Read(tools.RootElement);
        var all = new List<List<(string, string)>>();
        contents = [];
        var random = new Random(11);
        foreach (var name in (string[])["nano-demo", "deepseek-v3-style"])
        {
            var (tokenizer, vocabulary) = Vocabularies.Get(name);
            var grammar = GrammarCompiler.Compile(new OutputConstraint.ToolCalls(syntax, functions, required, parallel), vocabulary);
            for (var run = 0; run < runs; run++)
            {
                var (_, tokens, finished) = GrammarWriter.Write(grammar, random, patience: 30, most: 500);
                if (!finished) continue;
                var text = tokenizer.Decode(tokens, skipSpecialTokens: false);
                var parser = new AnswerParser(null, false, ToolCallFormat.Find(syntax), schemas, parallel);
                var (calls, content) = Collect([.. parser.Append(text), .. parser.Finish(truncated: false)]);
                foreach (var (function, arguments) in calls)
                {
                    var wrong = validators[function].Check(Parse(arguments, text));
                    Assert.True(wrong is null, $"{wrong}\n{arguments}\n{text}");
                }
                all.Add(calls);
                contents.Add(content);
            }
        }
        Assert.True(all.Count > runs / 2, $"only {all.Count} outputs were finished");
        return all;
    }

    private static JsonNode? Parse(string arguments, string text)
    {
        try { return JsonNode.Parse(arguments); }
        catch (JsonException e) { throw new InvalidOperationException($"{arguments}\n{text}", e); }
    }

    private static (List<(string Name, string Arguments)> Calls, string Content) Collect(IEnumerable<AnswerDelta> deltas)
    {
        var names = new List<string>();
        var arguments = new List<StringBuilder>();
        var content = new StringBuilder();
        foreach (var delta in deltas)
        {
            switch (delta.Kind)
            {
                case AnswerDeltaKind.Content:
                    content.Append(delta.Text);
                    break;
                case AnswerDeltaKind.Call:
                    names.Add(delta.Name!);
                    arguments.Add(new());
                    break;
                case AnswerDeltaKind.Arguments:
                    arguments[delta.CallIndex].Append(delta.Text);
                    break;
            }
        }
        return ([.. names.Select((name, i) => (name, arguments[i].ToString()))], content.ToString());
    }
}
