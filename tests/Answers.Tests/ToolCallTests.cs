using System.Text.Json.Nodes;

namespace NanoAspire.Answers.Tests;

public sealed class ToolCallTests
{
    public static TheoryData<string> AllFamilies => [.. Samples.Families];

    [Theory, MemberData(nameof(AllFamilies))]
    public void Parallel_calls_arrive_with_their_arguments_as_meant(string family)
    {
        (string, JsonObject)[] calls =
        [
            ("get_weather", new JsonObject { ["city"] = "Paris", ["days"] = 3, ["metric"] = false }),
            ("write_file", new JsonObject { ["path"] = "a/b.txt", ["text"] = Samples.Awkward, ["meta"] = new JsonObject { ["k"] = new JsonArray(1, new JsonObject { ["x"] = "}]" }) }, ["tags"] = new JsonArray("a", 2), ["ratio"] = 2.5 }),
            ("now", []),
        ];
        var text = Samples.Write(family, calls);
        var answer = ParsedAnswer.Of([text], family);
        Assert.Equal("", answer.Content);
        Assert.False(answer.Open);
        Assert.Equal(calls.Select(call => call.Item1), answer.Calls.Select(call => call.Name));
        foreach (var (call, (_, arguments)) in answer.Calls.Zip(calls))
            Assert.True(JsonNode.DeepEquals(arguments, JsonNode.Parse(call.Arguments)), call.Arguments);
        Assert.Equal(family is "kimi_k2" ? ["functions.get_weather:0", "functions.write_file:1", "functions.now:2"] : ["id0", "id1", "id2"], answer.Calls.Select(call => call.Id));
    }

    [Theory, MemberData(nameof(AllFamilies))]
    public void Only_the_first_call_counts_when_calls_may_not_be_parallel(string family)
    {
        var text = Samples.Write(family, ("get_weather", new JsonObject { ["city"] = "Paris" }), ("now", []));
        var answer = ParsedAnswer.Of([text], family, parallel: false);
        Assert.Equal("get_weather", Assert.Single(answer.Calls).Name);
        Assert.True(answer.Done);
        Assert.Equal("", answer.Content);
    }

    [Theory, MemberData(nameof(AllFamilies))]
    public void Text_without_a_call_passes_unchanged(string family)
    {
        const string text = "  if (a < b) { return \"<tool\"; }\n\nSee <think> and <|tool_calls| there.  \n";
        Assert.Equal($"content={text}|reasoning=|open=False", ParsedAnswer.Of(text.Select(c => c.ToString()), family).ToString());
    }

    [Theory]
    [InlineData("hermes", "<tool_call>\nnot json at all\n</tool_call>")]
    [InlineData("hermes", "<tool_call>{\"name\": \"f\", \"arguments\": {bad}}</tool_call>")]
    [InlineData("hermes", "<tool_call>{\"name\": 5, \"arguments\": {}}</tool_call>")]
    [InlineData("hermes", "<tool_call>{\"arguments\": {\"a\": 1}}</tool_call>")]
    [InlineData("qwen3_xml", "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>")]
    [InlineData("qwen3_xml", "<tool_call> is how a call begins, <function=x> comes next")]
    [InlineData("glm45", "<tool_call>this is prose\n</tool_call>")]
    [InlineData("deepseek_v3", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\noops\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>")]
    [InlineData("deepseek_v31", "<｜tool▁calls▁begin｜>nothing<｜tool▁calls▁end｜>")]
    [InlineData("deepseek_v32", "<｜DSML｜function_calls>\nhello\n</｜DSML｜function_calls>")]
    [InlineData("kimi_k2", "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>oops<|tool_call_end|><|tool_calls_section_end|>")]
    [InlineData("json", "The answer is [1, 2].")]
    [InlineData("json", "{\"result\": 5}")]
    public void What_is_no_call_comes_back_as_content(string family, string text)
    {
        Assert.Equal($"content={text}|reasoning=|open=False", ParsedAnswer.Of(text.Select(c => c.ToString()), family).ToString());
    }

    [Fact]
    public void Text_around_calls_keeps_everything_but_the_layout()
    {
        var call = Samples.Write("hermes", ("now", []));
        var answer = ParsedAnswer.Of([$"Let me look.\n\n{call}\nDone  that."], "hermes");
        Assert.Equal("Let me look.Done  that.", answer.Content);
        Assert.Single(answer.Calls);
    }

    [Theory, MemberData(nameof(AllFamilies))]
    public void A_call_cut_off_by_the_budget_keeps_what_was_written(string family)
    {
        var text = Samples.Write(family, ("write_file", new JsonObject { ["path"] = "x", ["text"] = "abcdefghij" }));
        var cut = text[..(text.IndexOf("efgh", StringComparison.Ordinal) + 2)];
        var answer = ParsedAnswer.Of(cut.Select(c => c.ToString()), family, truncated: true);
        Assert.True(answer.Open);
        var call = Assert.Single(answer.Calls);
        Assert.EndsWith("abcdef", call.Arguments, StringComparison.Ordinal);
        Assert.Equal("", answer.Content);
    }

    [Theory]
    [InlineData("hermes", "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}")]
    [InlineData("hermes", "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n<tool_call>")]
    [InlineData("qwen3_xml", "<tool_call>\n<function=now>\n</function>")]
    [InlineData("kimi_k2", "<|tool_calls_section_begin|><|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{}")]
    [InlineData("deepseek_v31", "<｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜>")]
    public void Missing_closing_markers_do_not_lose_a_complete_call(string family, string text)
    {
        var answer = ParsedAnswer.Of([text], family);
        Assert.Equal(("now", "{}"), (Assert.Single(answer.Calls).Name, answer.Calls[0].Arguments));
        Assert.False(answer.Open);
    }

    [Fact]
    public void Arguments_stream_while_they_are_written()
    {
        foreach (var family in Samples.Families)
        {
            var text = Samples.Write(family, ("write_file", new JsonObject { ["path"] = "p", ["text"] = new string('a', 400) }));
            var parser = new AnswerParser(null, false, ToolCallFormat.Find(family), ParsedAnswer.Schemas);
            var pieces = text.Sum(c => parser.Append(c.ToString()).Count(delta => delta.Kind is AnswerDeltaKind.Arguments));
            Assert.True(pieces > 300, $"{family} sent {pieces} pieces");
        }
    }

    [Theory]
    [InlineData("days", "3", "3")]
    [InlineData("days", "3.0", "3")]
    [InlineData("days", "three", "\"three\"")]
    [InlineData("metric", "True", "true")]
    [InlineData("city", "42", "\"42\"")]
    [InlineData("unknown", "42", "\"42\"")]
    [InlineData("metric", "None", "null")]
    public void Values_take_the_types_of_the_schema(string key, string value, string json)
    {
        var answer = ParsedAnswer.Of([$"<tool_call>\n<function=get_weather>\n<parameter={key}>\n{value}\n</parameter>\n</function>\n</tool_call>"], "qwen3_xml");
        Assert.Equal($"{{\"{key}\":{json}}}", Assert.Single(answer.Calls).Arguments);
    }

    [Fact]
    public void A_value_lacks_its_closing_tag_and_ends_with_the_line()
    {
        var answer = ParsedAnswer.Of(["<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n<parameter=days>\n2\n</function>\n</tool_call>"], "qwen3_xml");
        Assert.Equal("{\"city\":\"Paris\",\"days\":2}", Assert.Single(answer.Calls).Arguments);
    }

    [Fact]
    public void One_wrapped_parameter_is_unwrapped()
    {
        var text = "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"get_weather\">\n<｜DSML｜parameter name=\"arguments\" string=\"false\">{\"city\": \"Rome\"}</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>";
        var answer = ParsedAnswer.Of(text.Select(c => c.ToString()), "deepseek_v32");
        Assert.Equal("{\"city\": \"Rome\"}", Assert.Single(answer.Calls).Arguments);
    }

    [Fact]
    public void Line_ends_inside_strings_become_valid_json()
    {
        var answer = ParsedAnswer.Of(["<tool_call>{\"name\": \"write_file\", \"arguments\": {\"text\": \"a\nb\"}}</tool_call>"], "hermes");
        Assert.Equal("a\nb", JsonNode.Parse(Assert.Single(answer.Calls).Arguments)!["text"]!.GetValue<string>());
    }

    [Fact]
    public void Arguments_that_stop_being_json_stay_with_their_call()
    {
        var answer = ParsedAnswer.Of(["<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1, oops}}</tool_call> bye"], "hermes");
        Assert.Equal("{\"a\": 1, oops}}", Assert.Single(answer.Calls).Arguments);
        Assert.Equal("bye", answer.Content.Trim());
    }
}
