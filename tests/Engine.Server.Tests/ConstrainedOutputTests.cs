using System.ClientModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;
using OpenAI;
using OpenAI.Chat;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>Outputs under a constraint, over HTTP: the demo model writes what the request demands, or says that its tokens ran out.</summary>
public sealed class ConstrainedOutputTests : IAsyncLifetime
{
    private const string Person = """{"type":"object","properties":{"name":{"type":"string","maxLength":12},"age":{"type":"integer","minimum":0,"maximum":120},"tags":{"type":"array","items":{"enum":["a","b"]},"maxItems":2}},"required":["name","age","tags"],"additionalProperties":false}""";

    private RunningEngine _engine = null!;

    public async ValueTask InitializeAsync() => _engine = await RunningEngine.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _engine.WaitUntilIdleAsync();
        await _engine.DisposeAsync();
    }

    [Theory, InlineData(0), InlineData(0.8), InlineData(2)]
    public async Task A_json_schema_is_kept_at_any_temperature(double temperature)
    {
        var body = Chat(Format(Person), temperature);
        body["n"] = 4;
        var answer = await _engine.PostAsync("/v1/chat/completions", body);
        foreach (var choice in answer["choices"]!.AsArray()) CheckPerson(choice!["message"]!["content"]!.GetValue<string>(), choice["finish_reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_stream_says_the_same_as_a_whole_answer()
    {
        var body = Chat(Format(Person), 1.5);
        var whole = await _engine.PostAsync("/v1/chat/completions", body);
        body["stream"] = true;
        var events = await _engine.StreamAsync("/v1/chat/completions", body);
        var text = string.Concat(events.SkipLast(1).Select(data => JsonNode.Parse(data)!["choices"]![0]?["delta"]?["content"]?.GetValue<string>()));
        Assert.Equal(whole["choices"]![0]!["message"]!["content"]!.GetValue<string>(), text);
        CheckPerson(text, "stop");
    }

    [Fact]
    public async Task A_json_object_is_one()
    {
        var body = Chat(new() { ["type"] = "json_object" }, 0.7);
        body["max_tokens"] = 400;
        var choice = (await _engine.PostAsync("/v1/chat/completions", body))["choices"]![0]!;
        var text = choice["message"]!["content"]!.GetValue<string>();
        if (choice["finish_reason"]!.GetValue<string>() == "stop") Assert.IsType<JsonObject>(JsonNode.Parse(text));
        else Assert.StartsWith("{", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_that_is_cut_off_says_so()
    {
        var body = Chat(Format(Person), 1);
        body["max_tokens"] = 3;
        var choice = (await _engine.PostAsync("/v1/chat/completions", body))["choices"]![0]!;
        Assert.Equal("length", choice["finish_reason"]!.GetValue<string>());
        Assert.StartsWith("{", choice["message"]!["content"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hand_off_gives_the_same_output()
    {
        await using var prefill = await RunningEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await RunningEngine.StartAsync(EngineRole.Decode);
        var body = Chat(Format(Person), 1.3);
        body["n"] = 2;
        body["logprobs"] = true;
        body["top_logprobs"] = 2;
        var whole = await _engine.PostAsync("/v1/chat/completions", body);

        var remote = body.DeepClone().AsObject();
        remote["kv_transfer_params"] = new JsonObject { ["do_remote_decode"] = true };
        var parked = await prefill.PostAsync("/v1/chat/completions", remote);
        body["kv_transfer_params"] = new JsonObject { ["migration"] = parked["kv_transfer_params"]!["migration"]!.GetValue<string>() };
        var split = await decode.PostAsync("/v1/chat/completions", body);
        await prefill.PostAsync("/pd/free", new { seq_ids = new[] { parked["kv_transfer_params"]!["seq_id"]!.GetValue<long>() } });

        Assert.Equal(whole["choices"]!.ToJsonString(), split["choices"]!.ToJsonString());
        CheckPerson(split["choices"]![1]!["message"]!["content"]!.GetValue<string>(), "stop");
    }

    [Fact]
    public async Task Log_probabilities_are_those_of_the_allowed_tokens()
    {
        var body = new JsonObject { ["model"] = "nano-demo", ["prompt"] = "x", ["guided_choice"] = new JsonArray("yes", "no"), ["logprobs"] = 20, ["max_tokens"] = 5, ["temperature"] = 1, ["seed"] = 4 };
        var choice = (await _engine.PostAsync("/v1/completions", body))["choices"]![0]!;
        Assert.Contains(choice["text"]!.GetValue<string>(), (string[])["yes", "no"]);
        var first = choice["logprobs"]!["top_logprobs"]![0]!.AsObject().Select(entry => entry.Value!.GetValue<double>()).Where(logprob => logprob > -9999).ToArray();
        Assert.InRange(first.Length, 2, 6);                // beginnings of "yes" and "no"
        Assert.Equal(1, first.Sum(Math.Exp), 4);
    }

    [Theory]
    [InlineData("guided_regex", "\"[0-9]{3}-(ab|cd)\"", "^[0-9]{3}-(ab|cd)$")]
    [InlineData("structured_outputs", """{"regex":"(x|yz){2}"}""", "^(x|yz){2}$")]
    [InlineData("structured_outputs", """{"choice":["left","right"]}""", "^(left|right)$")]
    [InlineData("structured_outputs", """{"json":{"type":"boolean"}}""", "^(true|false)$")]
    [InlineData("guided_json", "\"{\\\"const\\\":7}\"", "^7$")]
    public async Task Other_constraints_are_kept(string field, string value, string expected)
    {
        var answer = await _engine.PostAsync("/v1/completions", new JsonObject { ["model"] = "nano-demo", ["prompt"] = "say", [field] = JsonNode.Parse(value), ["max_tokens"] = 40, ["temperature"] = 1.9, ["seed"] = 1 });
        Assert.Matches(expected, answer["choices"]![0]!["text"]!.GetValue<string>());
        Assert.Equal("stop", answer["choices"]![0]!["finish_reason"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("response_format", """{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object","properties":{"a":{"type":"array","uniqueItems":true}}}}}""", "response_format", "'uniqueItems'", "$.properties.a")]
    [InlineData("response_format", """{"type":"json_schema","json_schema":{"name":"s","schema":{"not":{}}}}""", "response_format", "'not'", "(at $)")]
    [InlineData("response_format", """{"type":"json_schema","json_schema":{"name":"s","schema":{"$ref":"#/$defs/x"}}}""", "response_format", "leads nowhere", "$")]
    [InlineData("response_format", """{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}}}""", "response_format", "no finite text", "$")]
    [InlineData("response_format", """{"type":"json_schema","json_schema":{"name":"s"}}""", "response_format.json_schema.schema", "must be a schema", "")]
    [InlineData("response_format", """{"type":"json_schema"}""", "response_format.json_schema", "required", "")]
    [InlineData("response_format", """{"type":"xml"}""", "response_format", "xml", "")]
    [InlineData("response_format", "\"json\"", "response_format", "type", "")]
    [InlineData("guided_regex", "\"(\"", "guided_regex", "unclosed", "")]
    [InlineData("guided_grammar", "\"root ::= x\"", "guided_grammar", "not supported", "")]
    [InlineData("structured_outputs", """{"choice":["a"],"regex":"b"}""", "structured_outputs.regex", "cannot be combined", "")]
    [InlineData("tool_choice", "\"required\"", "tool_choice", "no 'tools'", "")]
    [InlineData("tool_choice", "\"maybe\"", "tool_choice", "must be", "")]
    public async Task What_cannot_be_kept_is_refused_by_name(string field, string value, string param, string says, string where)
    {
        var body = Chat(null, 1);
        body[field] = JsonNode.Parse(value);
        var error = (await _engine.PostAsync("/v1/chat/completions", body, expected: 400))["error"]!;
        Assert.Equal("invalid_request_error", error["type"]!.GetValue<string>());
        Assert.Equal(param, error["param"]!.GetValue<string>());
        Assert.Contains(says, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains(where, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_official_client_gets_structured_output()
    {
        var client = new ChatClient("nano-demo", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(_engine.Http.BaseAddress!, "/v1") });
        ChatCompletion answer = await client.CompleteChatAsync([new UserChatMessage("Who?")], new ChatCompletionOptions
        {
            ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("person", BinaryData.FromString(Person), jsonSchemaIsStrict: true),
            Temperature = 0,
            MaxOutputTokenCount = 300,
        });
        CheckPerson(answer.Content[0].Text, answer.FinishReason == ChatFinishReason.Stop ? "stop" : "length");
    }

    private static void CheckPerson(string text, string finish)
    {
        Assert.Equal("stop", finish);
        using var json = JsonDocument.Parse(text);
        Assert.Equal(["name", "age", "tags"], json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.InRange(json.RootElement.GetProperty("name").GetString()!.EnumerateRunes().Count(), 0, 12);
        Assert.InRange(json.RootElement.GetProperty("age").GetInt32(), 0, 120);
        var tags = json.RootElement.GetProperty("tags");
        Assert.InRange(tags.GetArrayLength(), 0, 2);
        Assert.All(tags.EnumerateArray(), tag => Assert.Contains(tag.GetString(), (string[])["a", "b"]));
    }

    private static JsonObject Format(string schema) => new() { ["type"] = "json_schema", ["json_schema"] = new JsonObject { ["name"] = "answer", ["strict"] = true, ["schema"] = JsonNode.Parse(schema) } };

    private static JsonObject Chat(JsonObject? format, double temperature)
    {
        var body = new JsonObject
        {
            ["model"] = "nano-demo",
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Who?" }),
            ["temperature"] = temperature,
            ["seed"] = 5,
            ["max_tokens"] = 300,
        };
        if (format is not null) body["response_format"] = format;
        return body;
    }
}
