using System.ClientModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>Calls that the request demands: written by the model under a grammar, read by the parser of its syntax.</summary>
public sealed class DemandedCallTests : IAsyncLifetime
{
    private const string Weather = """{"type":"object","properties":{"city":{"type":"string","maxLength":6},"days":{"type":"integer","minimum":1,"maximum":7}},"required":["city","days"],"additionalProperties":false}""";

    private RunningEngine _engine = null!;

    public async ValueTask InitializeAsync() => _engine = await RunningEngine.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _engine.WaitUntilIdleAsync();
        await _engine.DisposeAsync();
    }

    [Theory, InlineData(0, 1), InlineData(1, 2), InlineData(2, 3)]
    public async Task A_required_call_is_made(double temperature, int seed)
    {
        var body = Body("\"required\"", temperature, seed);
        body["parallel_tool_calls"] = false;
        var choice = (await _engine.PostAsync("/v1/chat/completions", body))["choices"]![0]!;
        Assert.Equal("tool_calls", choice["finish_reason"]!.GetValue<string>());
        var call = Assert.Single(choice["message"]!["tool_calls"]!.AsArray())!["function"]!;
        Assert.Contains(call["name"]!.GetValue<string>(), (string[])["get_weather", "now"]);
        Check(call);
    }

    [Fact]
    public async Task A_named_function_is_called_once_streamed_or_not()
    {
        var body = Body("""{"type":"function","function":{"name":"get_weather"}}""", 1.5, 4);
        var message = (await _engine.PostAsync("/v1/chat/completions", body))["choices"]![0]!["message"]!;
        var call = Assert.Single(message["tool_calls"]!.AsArray())!["function"]!;
        Assert.Equal("get_weather", call["name"]!.GetValue<string>());
        Check(call);

        body["stream"] = true;
        var events = await _engine.StreamAsync("/v1/chat/completions", body);
        var streamed = string.Concat(events.SkipLast(1).Select(data => JsonNode.Parse(data)!["choices"]![0]?["delta"]?["tool_calls"]?[0]?["function"]?["arguments"]?.GetValue<string>()));
        Assert.Equal(call["arguments"]!.GetValue<string>(), streamed);
    }

    [Fact]
    public async Task Json_or_calls_is_either()
    {
        var body = Body("\"auto\"", 1.2, 1);
        body["response_format"] = new JsonObject { ["type"] = "json_schema", ["json_schema"] = new JsonObject { ["name"] = "n", ["schema"] = new JsonObject { ["const"] = 42 } } };
        for (var seed = 0; seed < 6; seed++)
        {
            body["seed"] = seed;
            var message = (await _engine.PostAsync("/v1/chat/completions", body))["choices"]![0]!["message"]!;
            if (message["tool_calls"] is JsonArray calls) foreach (var call in calls) Check(call!["function"]!);
            else Assert.Equal("42", message["content"]!.GetValue<string>());
        }
    }

    [Theory]
    [InlineData("""{"type":"function","function":{"name":"nobody"}}""", "nobody")]
    [InlineData("""{"type":"allowed_tools"}""", "allowed_tools")]
    public async Task A_choice_that_cannot_be_kept_is_refused(string choice, string says)
    {
        var error = (await _engine.PostAsync("/v1/chat/completions", Body(choice, 1, 1), expected: 400))["error"]!;
        Assert.Equal("tool_choice", error["param"]!.GetValue<string>());
        Assert.Contains(says, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_strict_tool_with_an_unsupported_schema_is_refused_with_its_place()
    {
        var body = Body("\"auto\"", 1, 1);
        body["tools"]![0]!["function"]!["parameters"]!["properties"]!["city"]!["not"] = new JsonObject();
        var error = (await _engine.PostAsync("/v1/chat/completions", body, expected: 400))["error"]!;
        Assert.Contains("'not'", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("$.tools[0].function.parameters.properties.city", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_official_client_gets_its_call()
    {
        var client = new ChatClient("nano-demo", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(_engine.Http.BaseAddress!, "/v1") });
        var tool = ChatTool.CreateFunctionTool("get_weather", "Weather", BinaryData.FromString(Weather), functionSchemaIsStrict: true);
        ChatCompletion answer = await client.CompleteChatAsync([new UserChatMessage("hi")], new ChatCompletionOptions { Tools = { tool }, ToolChoice = ChatToolChoice.CreateRequiredChoice(), AllowParallelToolCalls = false, Temperature = 0, MaxOutputTokenCount = 300 });
        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
        var call = Assert.Single(answer.ToolCalls);
        Assert.Equal("get_weather", call.FunctionName);
        CheckWeather(call.FunctionArguments.ToString());
    }

    private static void Check(JsonNode call)
    {
        if (call["name"]!.GetValue<string>() == "get_weather") CheckWeather(call["arguments"]!.GetValue<string>());
        else Assert.IsType<JsonObject>(JsonNode.Parse(call["arguments"]!.GetValue<string>()));
    }

    private static void CheckWeather(string arguments)
    {
        using var json = JsonDocument.Parse(arguments);
        Assert.Equal(["city", "days"], json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.InRange(json.RootElement.GetProperty("city").GetString()!.EnumerateRunes().Count(), 0, 6);
        Assert.InRange(json.RootElement.GetProperty("days").GetInt32(), 1, 7);
    }

    private static JsonObject Body(string choice, double temperature, int seed) => new()
    {
        ["model"] = "nano-demo",
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "hi" }),
        ["tools"] = new JsonArray(Tool("get_weather", Weather, strict: true), Tool("now", """{"type":"object","properties":{}}""", strict: false)),
        ["tool_choice"] = JsonNode.Parse(choice),
        ["temperature"] = temperature,
        ["seed"] = seed,
        ["max_tokens"] = 600,
    };

    private static JsonObject Tool(string name, string parameters, bool strict) =>
        new() { ["type"] = "function", ["function"] = new JsonObject { ["name"] = name, ["strict"] = strict, ["parameters"] = JsonNode.Parse(parameters) } };
}
