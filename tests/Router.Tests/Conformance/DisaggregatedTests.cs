using System.Net;
using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Prefill on one engine, decode on another, when all goes well.</summary>
public sealed class DisaggregatedTests
{
    [Fact]
    public async Task A_whole_answer_goes_through_prefill_then_decode_and_frees_the_blocks_once()
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
        var freeGate = new TaskCompletionSource();
        prefill.OnFree = _ => freeGate.Task;
        await using var router = await TestRouter.StartAsync(prefill, decode);

        using var response = await router.ChatAsync();

        // /pd/free hangs, and the client has its answer all the same.
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("hello world", (string?)(await TestRouter.JsonAsync(response))["choices"]![0]!["message"]!["content"]);
        freeGate.SetResult();
        await router.QuietAsync();

        var toPrefill = Assert.Single(prefill.Completions);
        Assert.Equal("/v1/chat/completions", toPrefill.Path);
        Assert.False(toPrefill.Body["stream"]!.GetValue<bool>());
        Assert.Equal(9, toPrefill.Body["max_tokens"]!.GetValue<int>());
        Assert.Equal("""{"do_remote_decode":true}""", toPrefill.Body["kv_transfer_params"]!.ToJsonString());
        var toDecode = Assert.Single(decode.Completions);
        Assert.False(toDecode.Body["stream"]!.GetValue<bool>());
        Assert.Equal(9, toDecode.Body["max_tokens"]!.GetValue<int>());
        Assert.Equal("""{"migration":"TUlH"}""", toDecode.Body["kv_transfer_params"]!.ToJsonString());
        var free = Assert.Single(prefill.Frees);
        Assert.Equal("""{"seq_ids":[41]}""", free.Text);
        Assert.True(free.At >= toDecode.At);
        Assert.Empty(decode.Frees);
    }

    [Fact]
    public async Task A_stream_reaches_the_client_while_decode_is_still_writing()
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
        var gate = new TaskCompletionSource();
        decode.Answer = Replies.HelloThen(async http =>
        {
            await gate.Task;
            await Replies.SendAsync(http, Replies.Chunk("""{"content":" world"}""") + Replies.Chunk("{}", "stop") + "data: [DONE]\n\n");
        });
        await using var router = await TestRouter.StartAsync(prefill, decode);

        using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
        await using var events = await SseReader.OpenAsync(response);
        Assert.Contains("assistant", await events.NextAsync());
        Assert.Contains("hello", await events.NextAsync());
        Assert.Equal(1, router.NodeOf(decode).InFlight);
        Assert.Empty(prefill.Frees);   // the decode engine does not say that it has pulled the blocks by now
        gate.SetResult();
        var rest = await events.RestAsync();

        Assert.Equal(" world", SseReader.Content(rest));
        Assert.Equal("[DONE]", rest[^1]);
        Assert.True(Assert.Single(decode.Completions).Body["stream"]!.GetValue<bool>());
        await router.QuietAsync();
        Assert.Equal("""{"seq_ids":[41]}""", Assert.Single(prefill.Freed));
    }

    [Fact]
    public async Task Blocks_are_freed_at_the_first_byte_when_decode_says_it_has_pulled_them_by_then()
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode, capabilities: ["kv_pulled_at_first_token"]);
        var gate = new TaskCompletionSource();
        decode.Answer = Replies.HelloThen(async http =>
        {
            await gate.Task;
            await Replies.SendAsync(http, "data: [DONE]\n\n");
        });
        await using var router = await TestRouter.StartAsync(prefill, decode);

        using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
        await using var events = await SseReader.OpenAsync(response);
        await prefill.SeenAsync(engine => engine.Frees.Count == 1);   // while the stream is still open
        gate.SetResult();
        await events.RestAsync();
        await router.QuietAsync();
        Assert.Single(prefill.Frees);
    }

    [Fact]
    public async Task All_parked_sequences_of_a_request_are_freed_together()
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode, capabilities: ["kv_pulled_at_first_token"]);
        prefill.Answer = Replies.Json(200, """{"choices":[],"kv_transfer_params":{"migration":"TUlH","seq_id":5,"seq_ids":[5,6]}}""");
        await using var router = await TestRouter.StartAsync(prefill, decode);

        using var response = await router.ChatAsync("""{"model":"m1","prompt":["a","b"]}""", "/v1/completions");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("/v1/completions", Assert.Single(prefill.Completions).Path);
        await router.QuietAsync();
        Assert.Equal("""{"seq_ids":[5,6]}""", Assert.Single(prefill.Freed));
    }

    [Fact]
    public async Task A_hand_off_of_the_clients_own_never_reaches_an_engine()
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
        await using var router = await TestRouter.StartAsync(prefill, decode);

        using var response = await router.ChatAsync("""{"model":"m1","kv_transfer_params":{"migration":"evil"},"messages":[{"role":"user","content":"hi"}],"stream_options":{"include_usage":true},"stream":true}""");
        await response.Content.ReadAsStringAsync();

        Assert.DoesNotContain("evil", Assert.Single(prefill.Completions).Text);
        Assert.Null(prefill.Completions[0].Body["stream_options"]);
        Assert.DoesNotContain("evil", Assert.Single(decode.Completions).Text);
        Assert.True(decode.Completions[0].Body["stream_options"]!["include_usage"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Engines_with_different_cache_layouts_are_not_paired()
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var strange = await ScriptedEngine.StartAsync(EngineRole.Decode);
        await using var like = await ScriptedEngine.StartAsync(EngineRole.Decode);
        await using var router = await TestRouter.StartAsync();
        router.Engines.Set(prefill.Descriptor with { KvDigest = "a" }, strange.Descriptor with { KvDigest = "b" }, like.Descriptor with { KvDigest = "a" });

        for (var i = 0; i < 4; i++)
        {
            using var response = await router.ChatAsync();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
        Assert.Empty(strange.Completions);
        Assert.Equal(4, like.Completions.Count);

        router.Engines.Set(prefill.Descriptor with { KvDigest = "a" }, strange.Descriptor with { KvDigest = "b" });
        using var none = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, none.StatusCode);
        Assert.Equal(4, prefill.Completions.Count);
    }

    [Fact]
    public async Task An_answer_that_ends_with_the_first_token_never_sees_decode()
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
        const string Finished = """{"id":"p","object":"chat.completion","created":1,"model":"m1","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}""";
        prefill.Answer = Replies.Json(200, Finished);
        await using var router = await TestRouter.StartAsync(prefill, decode);

        using var whole = await router.ChatAsync();
        Assert.Equal(Finished, await whole.Content.ReadAsStringAsync());

        using var response = await router.ChatAsync("""{"model":"m1","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}""");
        await using var stream = await SseReader.OpenAsync(response);
        var events = await stream.RestAsync();

        Assert.Equal(5, events.Count);
        Assert.Equal("assistant", (string?)JsonNode.Parse(events[0])!["choices"]![0]!["delta"]!["role"]);
        Assert.Equal("Hi", SseReader.Content(events));
        Assert.Equal("stop", (string?)JsonNode.Parse(events[2])!["choices"]![0]!["finish_reason"]);
        Assert.All(events[..3], data => Assert.Contains("\"usage\":null", data));
        Assert.Equal(4, (int?)JsonNode.Parse(events[3])!["usage"]!["total_tokens"]);
        Assert.Empty((JsonArray)JsonNode.Parse(events[3])!["choices"]!);
        Assert.All(events[..4], data => Assert.Equal("p", (string?)JsonNode.Parse(data)!["id"]));
        Assert.Equal("[DONE]", events[4]);
        await router.QuietAsync();
        Assert.Empty(decode.Completions);
        Assert.Empty(prefill.Frees);
    }

    [Fact]
    public async Task A_first_token_answer_keeps_its_tool_calls_in_the_stream_and_its_sequence_is_freed()
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
        prefill.Answer = Replies.Json(200, """{"id":"p","object":"chat.completion","created":1,"model":"m1","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"kv_transfer_params":{"seq_id":7}}""");
        await using var router = await TestRouter.StartAsync(prefill, decode);

        using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
        await using var stream = await SseReader.OpenAsync(response);
        var events = await stream.RestAsync();

        var call = JsonNode.Parse(events[1])!["choices"]![0]!["delta"]!["tool_calls"]![0]!;
        Assert.Equal((0, "call_1", "f"), ((int)call["index"]!, (string?)call["id"], (string?)call["function"]!["name"]));
        Assert.Equal("tool_calls", (string?)JsonNode.Parse(events[2])!["choices"]![0]!["finish_reason"]);
        Assert.All(events, data => Assert.DoesNotContain("usage", data));
        await router.QuietAsync();
        Assert.Equal("""{"seq_ids":[7]}""", Assert.Single(prefill.Freed));
    }
}
