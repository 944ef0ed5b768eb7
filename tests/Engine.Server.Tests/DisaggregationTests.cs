using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>The hand-off over HTTP and the real transport, both engines in this process; tests that kill processes are in EndToEnd.</summary>
public sealed class DisaggregationTests : IAsyncLifetime
{
    private RunningEngine _prefill = null!;
    private RunningEngine _decode = null!;

    public async ValueTask InitializeAsync()
    {
        _prefill = await RunningEngine.StartAsync(EngineRole.Prefill);
        _decode = await RunningEngine.StartAsync(EngineRole.Decode);
    }

    public async ValueTask DisposeAsync()
    {
        await _decode.WaitUntilIdleAsync();
        await _decode.DisposeAsync();
        await _prefill.DisposeAsync();
    }

    [Fact]
    public async Task Every_dialogue_gives_the_reference_tokens_and_leaves_nothing_behind()
    {
        foreach (var dialogue in DemoDialogue.All)
        {
            var answer = await HandOverAsync(Chat(dialogue));
            Assert.Equal(dialogue.TokenIds, TokenIds(answer));
            dialogue.AssertAnswered(answer["choices"]![0]!);
        }
        await _prefill.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task Seeded_samples_with_logprobs_are_the_same_as_in_one_engine()
    {
        await using var hybrid = await RunningEngine.StartAsync();
        var body = Chat(DemoDialogue.All[3], temperature: 1.7, maxTokens: 60);
        body["seed"] = 11;
        body["logprobs"] = true;
        body["top_logprobs"] = 4;
        var whole = await hybrid.PostAsync("/v1/chat/completions", body);
        var split = await HandOverAsync(body);
        Assert.Equal(whole["choices"]!.ToJsonString(), split["choices"]!.ToJsonString());
    }

    [Fact]
    public async Task A_prompt_of_many_blocks_is_moved_block_by_block()
    {
        await using var hybrid = await RunningEngine.StartAsync();
        var prompt = new JsonArray([.. Enumerable.Range(0, 1000).Select(i => (JsonNode)(50 + i * 13 % 1200))]);
        var body = new JsonObject { ["model"] = "nano-demo", ["prompt"] = prompt, ["temperature"] = 0, ["max_tokens"] = 30, ["ignore_eos"] = true, ["return_token_ids"] = true };
        var whole = await hybrid.PostAsync("/v1/completions", body);
        var split = await HandOverAsync(body, "/v1/completions");
        Assert.Equal(TokenIds(whole), TokenIds(split));
        // The second time the decode engine has all full blocks already and pulls only the last one.
        Assert.Equal(TokenIds(whole), TokenIds(await HandOverAsync(body, "/v1/completions")));
    }

    [Fact]
    public async Task Several_choices_share_one_hand_off()
    {
        await using var hybrid = await RunningEngine.StartAsync();
        var body = Chat(DemoDialogue.Prefill, temperature: 2, maxTokens: 20);
        body["seed"] = 3;
        body["n"] = 3;
        var whole = await hybrid.PostAsync("/v1/chat/completions", body);
        Assert.Equal(whole["choices"]!.ToJsonString(), (await HandOverAsync(body))["choices"]!.ToJsonString());
    }

    [Fact]
    public async Task A_request_that_ends_with_its_first_token_needs_no_decode_engine()
    {
        var answer = await _prefill.PostAsync("/v1/chat/completions", Remote(Chat(DemoDialogue.Prefill, maxTokens: 1)));
        Assert.Null(answer["kv_transfer_params"]);
        Assert.Equal("length", answer["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.Equal(DemoDialogue.Prefill.TokenIds[..1], TokenIds(answer));
        await _prefill.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task A_first_token_that_is_the_end_of_sequence_is_an_empty_answer()
    {
        // The prompt is a whole dialogue but for its last token, so the model's first token is the end of sequence.
        var dialogue = DemoDialogue.Prefill;
        var prompt = new JsonArray([.. dialogue.PromptIds.Concat(dialogue.TokenIds[..^1]).Select(id => (JsonNode)id)]);
        var body = new JsonObject { ["model"] = "nano-demo", ["prompt"] = prompt, ["temperature"] = 0, ["max_tokens"] = 50, ["return_token_ids"] = true };
        var answer = await _prefill.PostAsync("/v1/completions", Remote(body));
        Assert.Null(answer["kv_transfer_params"]);
        Assert.Equal("", answer["choices"]![0]!["text"]!.GetValue<string>());
        Assert.Equal("stop", answer["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.Equal(dialogue.TokenIds[^1..], TokenIds(answer));
    }

    [Fact]
    public async Task Freeing_twice_and_unknown_ids_are_no_errors()
    {
        var parked = await _prefill.PostAsync("/v1/chat/completions", Remote(Chat(DemoDialogue.Prefill)));
        Assert.Empty(parked["choices"]!.AsArray());
        var id = parked["kv_transfer_params"]!["seq_id"]!.GetValue<long>();
        Assert.Equal(1, _prefill.Model.Loop.Status.ParkedSequences);
        var first = await _prefill.PostAsync("/pd/free", new { seq_ids = new[] { id, 5 } });
        Assert.Equal($$"""{"freed":[{{id}}],"unknown":[5]}""", first.ToJsonString());
        var second = await _prefill.PostAsync("/pd/free", new { seq_ids = new[] { id } });
        Assert.Equal($$"""{"freed":[],"unknown":[{{id}}]}""", second.ToJsonString());
        await _prefill.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task Freed_blocks_can_no_longer_be_pulled()
    {
        var body = Chat(DemoDialogue.Prefill);
        var parked = await _prefill.PostAsync("/v1/chat/completions", Remote(body));
        await _prefill.PostAsync("/pd/free", new { seq_ids = new[] { parked["kv_transfer_params"]!["seq_id"]!.GetValue<long>() } });
        var error = await _decode.PostAsync("/v1/chat/completions", Continue(body, parked), expected: 503);
        Assert.Equal("kv_transfer_error", error["error"]!["type"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_corrupted_block_is_noticed_and_nothing_is_generated()
    {
        var body = Chat(DemoDialogue.Prefill);
        var parked = await _prefill.PostAsync("/v1/chat/completions", Remote(body));
        var ticket = MigrationText.Decode(parked["kv_transfer_params"]!["migration"]!.GetValue<string>())[0];
        _prefill.Model.Runner.KvMemory.Block(ticket.Blocks[0])[100] ^= 1;
        var error = await _decode.PostAsync("/v1/chat/completions", Continue(body, parked), expected: 503);
        Assert.Equal("kv_corrupt", error["error"]!["code"]!.GetValue<string>());
        await _decode.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task Another_model_or_another_prompt_is_refused_before_a_byte_moves()
    {
        await using var other = await RunningEngine.StartAsync(EngineRole.Decode, folder: Path.Combine(RepositoryPaths.Goldens, "qwen3-dense-tied"));
        var body = new JsonObject { ["model"] = "nano-demo", ["prompt"] = new JsonArray(5, 6, 7), ["temperature"] = 0, ["max_tokens"] = 5 };
        var parked = await _prefill.PostAsync("/v1/completions", Remote(body));
        var elsewhere = Continue(body, parked);
        elsewhere["model"] = "qwen3-dense-tied";
        Assert.Equal("incompatible_layout", (await other.PostAsync("/v1/completions", elsewhere, expected: 503))["error"]!["code"]!.GetValue<string>());
        var changed = Continue(body, parked);
        changed["prompt"] = new JsonArray(5, 6, 8);
        Assert.Equal("incompatible_layout", (await _decode.PostAsync("/v1/completions", changed, expected: 503))["error"]!["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Roles_refuse_what_is_not_theirs()
    {
        Assert.Equal("kv_transfer_params", (await _decode.PostAsync("/v1/chat/completions", Chat(DemoDialogue.Prefill), expected: 400))["error"]!["param"]!.GetValue<string>());
        Assert.Equal("kv_transfer_params", (await _prefill.PostAsync("/v1/chat/completions", Chat(DemoDialogue.Prefill), expected: 400))["error"]!["param"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_expired_lease_gives_the_blocks_back()
    {
        await using var hasty = await RunningEngine.StartAsync(EngineRole.Prefill, options: new EngineOptions { MaxSequences = 4, HandoffLease = TimeSpan.FromMilliseconds(300) });
        var body = Chat(DemoDialogue.Prefill);
        var parked = await hasty.PostAsync("/v1/chat/completions", Remote(body));
        await hasty.WaitUntilIdleAsync();
        var error = await _decode.PostAsync("/v1/chat/completions", Continue(body, parked), expected: 503);
        Assert.Equal("lease_expired", error["error"]!["code"]!.GetValue<string>());
    }

    private async Task<JsonNode> HandOverAsync(JsonObject body, string path = "/v1/chat/completions")
    {
        var parked = await _prefill.PostAsync(path, Remote(body));
        var answer = await _decode.PostAsync(path, Continue(body, parked));
        var free = await _prefill.PostAsync("/pd/free", new { seq_ids = new[] { parked["kv_transfer_params"]!["seq_id"]!.GetValue<long>() } });
        Assert.Single(free["freed"]!.AsArray());
        return answer;
    }

    private static JsonObject Chat(DemoDialogue dialogue, double temperature = 0, int maxTokens = 300) => new()
    {
        ["model"] = "nano-demo",
        ["messages"] = dialogue.Messages.DeepClone(),
        ["tools"] = dialogue.Tools?.DeepClone(),
        ["temperature"] = temperature,
        ["max_tokens"] = maxTokens,
        ["return_token_ids"] = true,
    };

    private static JsonObject Remote(JsonObject body)
    {
        var copy = body.DeepClone().AsObject();
        copy["kv_transfer_params"] = new JsonObject { ["do_remote_decode"] = true };
        return copy;
    }

    private static JsonObject Continue(JsonObject body, JsonNode parked)
    {
        var copy = body.DeepClone().AsObject();
        copy["kv_transfer_params"] = new JsonObject { ["migration"] = parked["kv_transfer_params"]!["migration"]!.GetValue<string>() };
        return copy;
    }

    private static int[] TokenIds(JsonNode answer) => [.. answer["choices"]![0]!["token_ids"]!.AsArray().Select(id => id!.GetValue<int>())];
}
