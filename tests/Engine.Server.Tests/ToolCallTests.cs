using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Server.Tests;

public sealed class ToolCallTests : IAsyncLifetime
{
    private RunningEngine _engine = null!;

    public async ValueTask InitializeAsync() => _engine = await RunningEngine.StartAsync();
    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task A_streamed_call_comes_in_pieces_and_adds_up()
    {
        var events = await _engine.StreamAsync("/v1/chat/completions", Body(stream: true));
        var deltas = events[1..^1].ConvertAll(data => JsonNode.Parse(data)!["choices"]![0]!["delta"]!);
        Assert.All(deltas, delta => Assert.Null(delta["content"]));
        var calls = deltas.SelectMany(delta => delta["tool_calls"]?.AsArray() ?? []).ToList();
        Assert.All(calls, call => Assert.Equal(0, call!["index"]!.GetValue<int>()));
        Assert.Equal("get_weather", Assert.Single(calls, call => call!["id"] is not null)!["function"]!["name"]!.GetValue<string>());
        Assert.True(calls.Count > 1, "the arguments came at once");
        Assert.Equal("{\"city\": \"Paris\"}", string.Concat(calls.Select(call => call!["function"]!["arguments"]!.GetValue<string>())));
        Assert.Equal("tool_calls", JsonNode.Parse(events[^2])!["choices"]![0]!["finish_reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_call_goes_back_and_forth_as_clients_send_it()
    {
        var body = Body(stream: false);
        var answer = await _engine.PostAsync("/v1/chat/completions", body);
        var message = answer["choices"]![0]!["message"]!.DeepClone();
        var messages = body["messages"]!.AsArray();
        messages.Add(message);
        messages.Add(new JsonObject { ["role"] = "tool", ["tool_call_id"] = message["tool_calls"]![0]!["id"]!.DeepClone(), ["content"] = DemoDialogue.All[^1].Messages[^1]!["content"]!.DeepClone() });
        body["return_token_ids"] = true;
        var second = await _engine.PostAsync("/v1/chat/completions", body);
        Assert.Equal(DemoDialogue.All[^1].PromptIds, second["prompt_token_ids"]!.AsArray().Select(id => id!.GetValue<int>()));
        Assert.Equal("It is 21 degrees in Paris.", second["choices"]![0]!["message"]!["content"]!.GetValue<string>());
        Assert.Equal("stop", second["choices"]![0]!["finish_reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_call_that_the_budget_cuts_off_ends_with_length_and_keeps_its_pieces()
    {
        var body = Body(stream: false);
        body["max_tokens"] = DemoDialogue.Call.TokenIds.Length - 6;
        var choice = (await _engine.PostAsync("/v1/chat/completions", body))["choices"]![0]!;
        Assert.Equal("length", choice["finish_reason"]!.GetValue<string>());
        var arguments = choice["message"]!["tool_calls"]![0]!["function"]!["arguments"]!.GetValue<string>();
        Assert.StartsWith(arguments, "{\"city\": \"Paris\"}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_tools_the_model_writes_what_it_likes()
    {
        // The same prompt, as ids of a text completion: there the markers are text.
        var answer = await _engine.PostAsync("/v1/completions", new { model = "nano-demo", prompt = DemoDialogue.Call.PromptIds, temperature = 0, max_tokens = 64 });
        Assert.Equal(DemoDialogue.Call.Text, answer["choices"]![0]!["text"]!.GetValue<string>());
        Assert.Equal("stop", answer["choices"]![0]!["finish_reason"]!.GetValue<string>());
    }

    private static JsonObject Body(bool stream) => new()
    {
        ["model"] = "nano-demo", ["messages"] = DemoDialogue.Call.Messages.DeepClone(), ["tools"] = DemoDialogue.Call.Tools!.DeepClone(), ["temperature"] = 0, ["stream"] = stream,
    };
}
