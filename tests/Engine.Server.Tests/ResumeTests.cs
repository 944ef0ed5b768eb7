using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>An answer that one engine began and another goes on with is the answer that one engine would have given.</summary>
public sealed class ResumeTests : IAsyncLifetime
{
    private const string ChatPath = "/v1/chat/completions";
    private RunningEngine _engine = null!;

    public async ValueTask InitializeAsync() => _engine = await RunningEngine.StartAsync();
    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task Wherever_an_answer_broke_off_the_rest_is_the_same()
    {
        foreach (var dialogue in DemoDialogue.All.Where(dialogue => dialogue.TokenIds.Length < 60)) await CheckAsync(ChatPath, Chat(dialogue), step: 5);
    }

    [Fact]
    public async Task Seeds_penalties_stops_logprobs_and_least_lengths_go_on_where_they_were()
    {
        var body = Chat(DemoDialogue.All[3]);
        foreach (var (name, value) in (IEnumerable<(string, JsonNode)>)[
            ("temperature", 1.6), ("seed", 4711), ("presence_penalty", 0.7), ("frequency_penalty", 0.3), ("repetition_penalty", 1.1), ("min_tokens", 40), ("max_tokens", 60), ("logprobs", true), ("top_logprobs", 2)])
            body[name] = value;
        await CheckAsync(ChatPath, body, step: 7);
        await CheckAsync("/v1/completions", new JsonObject
        {
            ["model"] = "nano-demo", ["prompt"] = "zebra quantum ledger", ["temperature"] = 1.9, ["seed"] = 5, ["max_tokens"] = 40, ["ignore_eos"] = true, ["logprobs"] = 1,
            ["stop"] = new JsonArray("never to be seen"), ["stream"] = true,
        }, step: 6);
    }

    [Fact]
    public async Task A_grammar_goes_on_where_it_was()
    {
        var body = Chat(DemoDialogue.Prefill);
        body["temperature"] = 1.2;
        body["seed"] = 3;
        body["response_format"] = JsonNode.Parse("""{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object","properties":{"name":{"type":"string","maxLength":12},"n":{"type":"integer","minimum":10,"maximum":500}},"required":["name","n"],"additionalProperties":false}}}""");
        await CheckAsync(ChatPath, body, step: 4);
        var call = Chat(DemoDialogue.Call);
        call["tool_choice"] = "required";
        await CheckAsync(ChatPath, call, step: 4);
    }

    [Fact]
    public async Task A_disaggregated_pair_goes_on_with_an_answer()
    {
        await using var prefill = await RunningEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await RunningEngine.StartAsync(EngineRole.Decode);
        var whole = await EventsAsync(_engine, ChatPath, Chat(DemoDialogue.Prefill));
        for (var sent = 1; sent < DemoDialogue.Prefill.TokenIds.Length - 1; sent += 9)
        {
            var rest = Resumed(Chat(DemoDialogue.Prefill), whole[1..(sent + 1)]);
            var first = rest.DeepClone().AsObject();
            first["stream"] = false;
            first["kv_transfer_params"] = new JsonObject { ["do_remote_decode"] = true };
            var parked = await prefill.PostAsync(ChatPath, first);
            rest["kv_transfer_params"] = new JsonObject { ["migration"] = parked["kv_transfer_params"]!["migration"]!.DeepClone() };
            Same(whole[(sent + 1)..], await EventsAsync(decode, ChatPath, rest));
            await prefill.PostAsync("/pd/free", new JsonObject { ["seq_ids"] = parked["kv_transfer_params"]!["seq_ids"]!.DeepClone() });
        }
        await prefill.WaitUntilIdleAsync();
        await decode.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task A_call_that_ends_with_the_first_token_of_the_rest_keeps_its_place()
    {
        await using var prefill = await RunningEngine.StartAsync(EngineRole.Prefill);
        var body = Chat(DemoDialogue.Call);
        var whole = await EventsAsync(_engine, ChatPath, body);
        var fragments = whole.Select((chunk, place) => (Call: chunk["choices"]!.AsArray().FirstOrDefault()?["delta"]?["tool_calls"]?[0], place)).Where(item => item.Call is not null && item.Call["id"] is null).ToList();
        var (last, at) = fragments[^1];
        var rest = Resumed(body, whole[1..at]);
        rest["max_tokens"] = 1;
        rest["stream"] = false;
        rest["kv_transfer_params"] = new JsonObject { ["do_remote_decode"] = true };
        var call = Assert.Single((await prefill.PostAsync(ChatPath, rest))["choices"]![0]!["message"]!["tool_calls"]!.AsArray())!;
        Assert.Equal(0, call["index"]!.GetValue<int>());
        Assert.Null(call["id"]);
        Assert.Equal(last!["function"]!["arguments"]!.GetValue<string>(), call["function"]!["arguments"]!.GetValue<string>());
    }

    [Fact]
    public async Task Only_one_answer_at_a_time_can_be_resumed()
    {
        var body = new { model = "nano-demo", prompt = "a", n = 2, resume_token_ids = (int[])[1] };
        Assert.Equal("resume_token_ids", (await _engine.PostAsync("/v1/completions", body, 400))["error"]!["param"]!.GetValue<string>());
    }

    private async Task CheckAsync(string path, JsonObject body, int step)
    {
        var whole = await EventsAsync(_engine, path, body);
        var opening = path == ChatPath ? 1 : 0;   // a chat's first event has no token
        Assert.All(whole[opening..^1], chunk => Assert.Single(chunk["choices"]![0]!["token_ids"]!.AsArray()));
        for (var sent = 0; sent < whole.Count - opening - 1; sent += step)
            Same(whole[(opening + sent)..], await EventsAsync(_engine, path, Resumed(body, whole[opening..(opening + sent)])));
    }

    private static void Same(IEnumerable<JsonNode> expected, IEnumerable<JsonNode> actual)
    {
        Assert.Equal(expected.Select(Comparable), actual.Select(Comparable));

        static string Comparable(JsonNode chunk)
        {
            var copy = chunk.DeepClone().AsObject();
            foreach (var changing in (string[])["id", "created"]) copy.Remove(changing);
            foreach (var call in copy["choices"]!.AsArray().SelectMany(choice => choice!["delta"]?["tool_calls"]?.AsArray() ?? [])) call!.AsObject().Remove("id");
            // How much of the prompt was cached depends on what ran before.
            copy["usage"]?.AsObject().Remove("prompt_tokens_details");
            return copy.ToJsonString();
        }
    }

    private static JsonObject Resumed(JsonObject body, IReadOnlyList<JsonNode> sent)
    {
        var rest = body.DeepClone().AsObject();
        rest["resume_token_ids"] = new JsonArray([.. sent.Select(chunk => chunk["choices"]![0]!["token_ids"]![0]!.DeepClone())]);
        if (rest["max_tokens"] is { } budget) rest["max_tokens"] = budget.GetValue<int>() - sent.Count;
        return rest;
    }

    private static JsonObject Chat(DemoDialogue dialogue) => new()
    {
        ["model"] = "nano-demo", ["messages"] = dialogue.Messages.DeepClone(), ["tools"] = dialogue.Tools?.DeepClone(), ["temperature"] = 0, ["max_tokens"] = 64, ["stream"] = true,
        ["stream_options"] = new JsonObject { ["include_usage"] = true },
    };

    private static async Task<List<JsonNode>> EventsAsync(RunningEngine engine, string path, JsonObject body)
    {
        body["resumable"] = true;
        var events = await engine.StreamAsync(path, body);
        Assert.Equal("[DONE]", events[^1]);
        var chunks = events[..^1].ConvertAll(data => JsonNode.Parse(data)!);
        // Completions have no usage event here; a null stands in so that both end alike.
        if (chunks[^1]["choices"]!.AsArray().Count > 0) chunks.Add(JsonNode.Parse("""{"choices":[]}""")!);
        return chunks;
    }
}
