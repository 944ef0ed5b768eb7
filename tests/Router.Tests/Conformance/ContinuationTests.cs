using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Case 15: an engine dies in mid-stream, and another goes on from the tokens that the client has.</summary>
public sealed class ContinuationTests
{
    private static readonly string[] Resume = ["resume"];

    /// <summary>What an engine has sent is only certain to arrive when it waits with dying until it has.</summary>
    private readonly SemaphoreSlim _seen = new(0);

    [Fact]
    public async Task A_stream_goes_on_at_other_engines_and_the_client_sees_one_answer()
    {
        await using var p1 = await ScriptedEngine.StartAsync(EngineRole.Prefill, capabilities: Resume);
        await using var d1 = await ScriptedEngine.StartAsync(EngineRole.Decode, "d1", Resume);
        await using var d2 = await ScriptedEngine.StartAsync(EngineRole.Decode, "d2", Resume);
        await using var router = await TestRouter.StartAsync(p1, d1, d2);
        d1.Answer = d2.Answer = Dying;
        await using var stream = await SseReader.OpenAsync(await router.ChatAsync(TestRouter.UserHiStreamed));
        var events = await ReadAsync(stream);

        Assert.Equal("hello world", SseReader.Content(events));
        Assert.Equal("[DONE]", Assert.Single(events, data => data is "[DONE]"));
        var chunks = events[..^1].ConvertAll(data => JsonNode.Parse(data)!);
        Assert.Equal(["first"], chunks.Select(chunk => (string)chunk["id"]!).Distinct());
        Assert.Equal([7], chunks.Select(chunk => (int)chunk["created"]!).Distinct());
        Assert.Single(chunks, chunk => chunk["choices"]![0]!["delta"]!["role"] is not null);
        Assert.Equal("stop", (string?)Assert.Single(chunks, chunk => chunk["choices"]![0]!["finish_reason"] is not null)["choices"]![0]!["finish_reason"]);
        Assert.DoesNotContain(events, data => data.Contains("token_ids", StringComparison.Ordinal));

        var second = p1.Completions[1].Body;
        Assert.Equal("[11,12]", second["resume_token_ids"]!.ToJsonString());
        Assert.Equal(7, (int)second["max_tokens"]!);
        Assert.Single(d1.Completions);
        Assert.Single(d2.Completions);
        await router.QuietAsync();
        Assert.Equal(2, p1.Frees.Count);   // one for each prefill
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task Without_leave_or_an_engine_that_can_the_stream_ends_with_one_error_event(int moves, bool capable)
    {
        await using var h1 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: capable ? Resume : []);
        await using var h2 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: capable ? Resume : []);
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { Moves = moves }, h1, h2);
        h1.Answer = h2.Answer = Dying;
        await AssertBrokenAsync(router);
        Assert.Equal(1, h1.Completions.Count + h2.Completions.Count);
    }

    [Theory]
    [InlineData("\"n\":2")]
    [InlineData("\"best_of\":2")]
    public async Task What_tokens_alone_cannot_continue_ends_with_an_error_event(string member)
    {
        await using var h1 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: Resume);
        await using var h2 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: Resume);
        await using var router = await TestRouter.StartAsync(h1, h2);
        h1.Answer = h2.Answer = Dying;
        await AssertBrokenAsync(router, TestRouter.UserHiStreamed[..^1] + "," + member + "}");
    }

    [Fact]
    public async Task When_the_second_engine_dies_too_the_limit_ends_it()
    {
        await using var h1 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: Resume);
        await using var h2 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: Resume);
        await using var h3 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: Resume);
        await using var router = await TestRouter.StartAsync(h1, h2, h3);
        h1.Answer = h2.Answer = h3.Answer = async (http, _) =>
        {
            Replies.BeginStream(http);
            await Replies.SendAsync(http, Token("""{"content":"x"}""", 5));
            await _seen.WaitAsync(http.RequestAborted);
            http.Abort();
        };
        await using var stream = await SseReader.OpenAsync(await router.ChatAsync(TestRouter.UserHiStreamed));
        var events = await ReadAsync(stream);
        Assert.Equal("xx", SseReader.Content(events[..^1]));
        Assert.Equal("node_failed", (string?)JsonNode.Parse(events[^1])!["error"]!["code"]);
        await router.QuietAsync();
    }

    [Fact]
    public async Task An_engine_that_cannot_be_reached_is_passed_over_on_the_way()
    {
        await using var h1 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, "a", Resume);
        await using var h2 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, "b", Resume);
        await using var h3 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, "c", Resume);
        await using var router = await TestRouter.StartAsync(h1, h2, h3);
        var resumed = 0;
        h1.Answer = h2.Answer = h3.Answer = (http, request) =>
            request.Body["resume_token_ids"] is not null && Interlocked.Increment(ref resumed) == 1 ? Replies.Death(http, request) : Dying(http, request);
        await using var stream = await SseReader.OpenAsync(await router.ChatAsync(TestRouter.UserHiStreamed));
        var events = await ReadAsync(stream);
        Assert.Equal("hello world", SseReader.Content(events));
        Assert.Equal("[DONE]", events[^1]);
        await router.QuietAsync();
    }

    [Fact]
    public async Task An_answer_that_lacks_only_its_farewell_gets_it_from_the_router()
    {
        await using var h1 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: Resume);
        await using var router = await TestRouter.StartAsync(h1);
        h1.Answer = async (http, _) =>
        {
            Replies.BeginStream(http);
            await Replies.SendAsync(http, Token("""{"content":"all"}""", 5));
            await Replies.SendAsync(http, Token("{}", 6, "\"stop\""));
            await _seen.WaitAsync(http.RequestAborted);
            http.Abort();
        };
        await using var stream = await SseReader.OpenAsync(await router.ChatAsync(TestRouter.UserHiStreamed));
        var events = await ReadAsync(stream);
        Assert.Equal("all", SseReader.Content(events));
        Assert.Equal("[DONE]", events[^1]);
        Assert.Single(h1.Completions);
    }

    [Fact]
    public async Task A_prefill_that_finishes_the_rest_ends_the_stream()
    {
        await using var p1 = await ScriptedEngine.StartAsync(EngineRole.Prefill, capabilities: Resume);
        await using var d1 = await ScriptedEngine.StartAsync(EngineRole.Decode, capabilities: Resume);
        await using var d2 = await ScriptedEngine.StartAsync(EngineRole.Decode, capabilities: Resume);
        await using var router = await TestRouter.StartAsync(p1, d1, d2);
        d1.Answer = d2.Answer = Dying;
        p1.Answer = (http, request) => request.Body["resume_token_ids"] is null
            ? Replies.Parked()(http, request)
            : Replies.JsonAsync(http, 200, """{"id":"p","object":"chat.completion","created":9,"model":"m1","choices":[{"index":0,"message":{"role":"assistant","content":" end"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}}""");
        await using var stream = await SseReader.OpenAsync(await router.ChatAsync(TestRouter.UserHiStreamed));
        var events = await ReadAsync(stream);
        Assert.Equal("hello end", SseReader.Content(events));
        Assert.Equal("[DONE]", events[^1]);
        Assert.All(events[..^1], data => Assert.Equal("first", (string?)JsonNode.Parse(data)!["id"]));
        await router.QuietAsync();
    }

    [Fact]
    public async Task A_client_that_asked_for_token_ids_gets_all_of_them_once()
    {
        await using var h1 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: Resume);
        await using var h2 = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: Resume);
        await using var router = await TestRouter.StartAsync(h1, h2);
        h1.Answer = h2.Answer = Dying;
        await using var stream = await SseReader.OpenAsync(await router.ChatAsync(TestRouter.UserHiStreamed[..^1] + ",\"return_token_ids\":true}"));
        var events = await ReadAsync(stream);
        Assert.Equal([11, 12, 13, 14], events[..^1].SelectMany(data => JsonNode.Parse(data)!["choices"]![0]!["token_ids"]?.AsArray() ?? []).Select(id => (int)id!));
    }

    /// <summary>"hello", then death; asked to go on, " world" and the end.</summary>
    private async Task Dying(HttpContext http, RecordedRequest request)
    {
        Replies.BeginStream(http);
        if (request.Body["resume_token_ids"] is null)
        {
            await Replies.SendAsync(http, Token("""{"role":"assistant","content":""}""", null));
            await Replies.SendAsync(http, Token("{}", 11));
            await Replies.SendAsync(http, Token("""{"content":"hello"}""", 12));
            await _seen.WaitAsync(http.RequestAborted);
            http.Abort();
            return;
        }
        await Replies.SendAsync(http, Token("""{"role":"assistant","content":""}""", null, id: "other"));
        await Replies.SendAsync(http, Token("""{"content":" world"}""", 13, id: "other"));
        await Replies.SendAsync(http, Token("{}", 14, "\"stop\"", "other"));
        await Replies.SendAsync(http, "data: [DONE]\n\n");
    }

    private static string Token(string delta, int? token, string finish = "null", string id = "first") =>
        $$"""data: {"id":"{{id}}","object":"chat.completion.chunk","created":{{(id == "first" ? 7 : 8)}},"model":"m1","choices":[{"index":0,"delta":{{delta}},"logprobs":null,"finish_reason":{{finish}}{{(token is null ? "" : $",\"token_ids\":[{token}]")}}}]}""" + "\n\n";

    private async Task AssertBrokenAsync(TestRouter router, string body = TestRouter.UserHiStreamed)
    {
        await using var stream = await SseReader.OpenAsync(await router.ChatAsync(body));
        var events = await ReadAsync(stream);
        Assert.Equal("hello", SseReader.Content(events[..^1]));
        Assert.Equal("node_failed", (string?)JsonNode.Parse(events[^1])!["error"]!["code"]);
        Assert.DoesNotContain("[DONE]", events);
        Assert.DoesNotContain(events[..^1], data => (string?)JsonNode.Parse(data)!["choices"]![0]!["finish_reason"] is not null);
        await router.QuietAsync();
    }

    /// <summary>Reads to the end, and lets the engine die whenever one of its last words has come.</summary>
    private async Task<List<string>> ReadAsync(SseReader stream)
    {
        List<string> events = [];
        while (await stream.NextAsync() is { } data)
        {
            events.Add(data);
            if (data.Contains("\"hello\"", StringComparison.Ordinal) || data.Contains("\"x\"", StringComparison.Ordinal) || data.Contains("\"stop\"", StringComparison.Ordinal)) _seen.Release();
        }
        return events;
    }
}
