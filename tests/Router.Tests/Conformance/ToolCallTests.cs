using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Case 19: engines that send the model's text as it is, and a router that tells it apart.</summary>
public sealed class ToolCallTests
{
    private const string Awkward = "say \"hi\"\nto </parameter> and ünïcödé 🌍";

    private static readonly JsonObject Weather = new() { ["city"] = "Paris", ["note"] = Awkward };
    private static readonly JsonObject Deep = new() { ["where"] = new JsonObject { ["k"] = new JsonArray(1, "}", new JsonObject()) } };

    public static TheoryData<string, string> Families => new()
    {
        { "hermes", $"<tool_call>\n{{\"name\": \"a\", \"arguments\": {Weather.ToJsonString()}}}\n</tool_call>\n<tool_call>\n{{\"name\": \"b\", \"arguments\": {Deep.ToJsonString()}}}\n</tool_call>" },
        { "qwen3_xml", $"<tool_call>\n<function=a>\n<parameter=city>\nParis\n</parameter>\n<parameter=note>\n{Awkward}\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=b>\n<parameter=where>\n{Deep["where"]!.ToJsonString()}\n</parameter>\n</function>\n</tool_call>" },
        { "deepseek_v3", $"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>a\n```json\n{Weather.ToJsonString()}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>b\n```json\n{Deep.ToJsonString()}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>" },
        { "deepseek_v31", $"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>a<｜tool▁sep｜>{Weather.ToJsonString()}<｜tool▁call▁end｜><｜tool▁call▁begin｜>b<｜tool▁sep｜>{Deep.ToJsonString()}<｜tool▁call▁end｜><｜tool▁calls▁end｜>" },
        { "deepseek_v32", $"<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"a\">\n<｜DSML｜parameter name=\"city\" string=\"true\">Paris</｜DSML｜parameter>\n<｜DSML｜parameter name=\"note\" string=\"true\">{Awkward}</｜DSML｜parameter>\n</｜DSML｜invoke>\n<｜DSML｜invoke name=\"b\">\n<｜DSML｜parameter name=\"where\" string=\"false\">{Deep["where"]!.ToJsonString()}</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>" },
        { "glm45", $"<tool_call>a\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n<arg_key>note</arg_key>\n<arg_value>{Awkward}</arg_value>\n</tool_call>\n<tool_call>b\n<arg_key>where</arg_key>\n<arg_value>{Deep["where"]!.ToJsonString()}</arg_value>\n</tool_call>" },
        { "kimi_k2", $"<|tool_calls_section_begin|><|tool_call_begin|>functions.a:0<|tool_call_argument_begin|>{Weather.ToJsonString()}<|tool_call_end|><|tool_call_begin|>functions.b:1<|tool_call_argument_begin|>{Deep.ToJsonString()}<|tool_call_end|><|tool_calls_section_end|>" },
    };

    [Theory, MemberData(nameof(Families))]
    public async Task Calls_and_thoughts_are_told_apart_however_the_stream_is_cut(string family, string calls)
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await StartAsync(family, engine);
        var text = $"<think>\nLet me see.\n</think>\n\nOne moment.\n{calls}";
        engine.Answer = Whole(text, "stop");
        var whole = (await TestRouter.JsonAsync(await router.ChatAsync(Body(stream: false))))["choices"]![0]!;
        AssertMessage(whole["message"]!.AsObject(), family);
        Assert.Equal("tool_calls", (string?)whole["finish_reason"]);

        for (var size = 1; size <= text.Length; size = size < 12 ? size + 1 : size * 2)
        {
            engine.Answer = Streamed(text.EnumerateRunes().Chunk(size).Select(static runes => string.Concat(runes)));   // no engine sends half a character
            await using var stream = await SseReader.OpenAsync(await router.ChatAsync(Body(stream: true)));
            var events = await stream.RestAsync();
            Assert.Equal("[DONE]", events[^1]);
            var (message, finish) = Gather(events[..^1]);
            AssertMessage(message, family);
            Assert.Equal("tool_calls", finish);
        }
        Assert.All(engine.Completions, request => Assert.False((bool)request.Body["skip_special_tokens"]!));
    }

    [Fact]
    public async Task With_tool_choice_none_the_text_is_the_models()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { Parsing = new ParsingOptions { ToolCalls = "hermes" } }, engine);
        engine.Answer = Whole("<tool_call>\n{\"name\": \"a\", \"arguments\": {}}\n</tool_call>", "stop");
        var choice = (await TestRouter.JsonAsync(await router.ChatAsync(Body(stream: false)[..^1] + ",\"tool_choice\":\"none\"}")))["choices"]![0]!;
        Assert.StartsWith("<tool_call>", (string?)choice["message"]!["content"], StringComparison.Ordinal);
        Assert.Equal("stop", (string?)choice["finish_reason"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_cut_off_by_the_budget_loses_nothing(bool streamed)
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await StartAsync("hermes", engine);
        const string text = "Wait. <tool_call>\n{\"name\": \"a\", \"arguments\": {\"city\": \"Par";
        engine.Answer = streamed ? Streamed(text.Select(c => c.ToString()), "length") : Whole(text, "length");
        using var response = await router.ChatAsync(Body(streamed));
        JsonObject message;
        string? finish;
        if (streamed)
        {
            await using var stream = await SseReader.OpenAsync(response);
            (message, finish) = Gather((await stream.RestAsync())[..^1]);
        }
        else
        {
            var choice = (await TestRouter.JsonAsync(response))["choices"]![0]!;
            (message, finish) = (choice["message"]!.AsObject(), (string?)choice["finish_reason"]);
        }
        Assert.Equal("length", finish);
        Assert.Equal("Wait.", (string?)message["content"]);
        Assert.Equal("{\"city\": \"Par", (string?)message["tool_calls"]![0]!["function"]!["arguments"]);
    }

    [Fact]
    public async Task A_turn_of_calls_and_a_tools_answer_are_taken_without_content()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await StartAsync("hermes", engine);
        const string body = """{"model":"m1","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"a","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"5"}]}""";
        using var response = await router.ChatAsync(body);
        Assert.Equal(200, (int)response.StatusCode);
    }

    [Fact]
    public async Task Engines_that_parse_are_left_alone()
    {
        await using var engine = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: ["parses_answers"]);
        await using var router = await StartAsync("hermes", engine);
        engine.Answer = Whole("<tool_call>\n{\"name\": \"a\", \"arguments\": {}}\n</tool_call>", "stop");
        var choice = (await TestRouter.JsonAsync(await router.ChatAsync(Body(stream: false))))["choices"]![0]!;
        Assert.StartsWith("<tool_call>", (string?)choice["message"]!["content"], StringComparison.Ordinal);
        Assert.Null(Assert.Single(engine.Completions).Body["skip_special_tokens"]);
    }

    [Fact]
    public async Task Reasoning_comes_under_both_names_where_asked_for()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { Parsing = new ParsingOptions { Reasoning = "qwen3", MirrorReasoning = true } }, engine);
        engine.Answer = Whole("<think>so</think>yes", "stop");
        var message = (await TestRouter.JsonAsync(await router.ChatAsync(Body(stream: false))))["choices"]![0]!["message"]!;
        Assert.Equal(("so", "so", "yes"), ((string?)message["reasoning_content"], (string?)message["reasoning"], (string?)message["content"]));
    }

    private static Task<TestRouter> StartAsync(string family, ScriptedEngine engine) =>
        TestRouter.StartAsync(TestRouter.Defaults with { Parsing = new ParsingOptions { ToolCalls = family, Reasoning = "qwen3" } }, engine);

    private static string Body(bool stream) => """{"model":"m1","messages":[{"role":"user","content":"hi"}],"stream":STREAM,"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{"city":{"type":"string"},"note":{"type":"string"}}}}},{"type":"function","function":{"name":"b","parameters":{"type":"object","properties":{"where":{"type":"object"}}}}}]}""".Replace("STREAM", stream ? "true" : "false", StringComparison.Ordinal);

    private static Func<Microsoft.AspNetCore.Http.HttpContext, RecordedRequest, Task> Whole(string text, string finish) => Replies.Json(200,
        $$"""{"id":"c1","object":"chat.completion","created":7,"model":"m1","choices":[{"index":0,"message":{"role":"assistant","content":{{JsonSerializer.Serialize(text)}}},"finish_reason":"{{finish}}"}],"usage":{{Replies.Usage}}}""");

    private static Func<Microsoft.AspNetCore.Http.HttpContext, RecordedRequest, Task> Streamed(IEnumerable<string> pieces, string finish = "stop") => async (http, _) =>
    {
        Replies.BeginStream(http);
        var events = pieces.Select(piece => Replies.Chunk($$"""{"content":{{JsonSerializer.Serialize(piece)}}}"""));
        await Replies.SendAsync(http, string.Concat([Replies.Chunk("""{"role":"assistant","content":""}"""), .. events, Replies.Chunk("{}", finish), "data: [DONE]\n\n"]));
    };

    private static (JsonObject Message, string? Finish) Gather(IEnumerable<string> events)
    {
        var (content, reasoning, calls) = ("", "", new JsonArray());
        string? finish = null;
        foreach (var choice in events.Select(data => JsonNode.Parse(data)!["choices"]![0]!))
        {
            content += (string?)choice["delta"]!["content"];
            reasoning += (string?)choice["delta"]!["reasoning_content"];
            finish ??= (string?)choice["finish_reason"];
            foreach (var call in choice["delta"]!["tool_calls"]?.AsArray() ?? [])
            {
                if (call!["id"] is not null) calls.Add(call.DeepClone());
                else calls[(int)call["index"]!]!["function"]!["arguments"] = (string?)calls[(int)call["index"]!]!["function"]!["arguments"] + (string?)call["function"]!["arguments"];
            }
        }
        return (new JsonObject { ["content"] = content, ["reasoning_content"] = reasoning, ["tool_calls"] = calls }, finish);
    }

    private static void AssertMessage(JsonObject message, string family)
    {
        Assert.Equal("One moment.", (string?)message["content"]);
        Assert.Equal("Let me see.", (string?)message["reasoning_content"]);
        var calls = message["tool_calls"]!.AsArray();
        Assert.Equal(["a", "b"], calls.Select(call => (string?)call!["function"]!["name"]));
        Assert.True(JsonNode.DeepEquals(Weather, JsonNode.Parse((string)calls[0]!["function"]!["arguments"]!)), message.ToJsonString());
        Assert.True(JsonNode.DeepEquals(Deep, JsonNode.Parse((string)calls[1]!["function"]!["arguments"]!)), message.ToJsonString());
        if (family is "kimi_k2") Assert.Equal(["functions.a:0", "functions.b:1"], calls.Select(call => (string?)call!["id"]));
    }
}
