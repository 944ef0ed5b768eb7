using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>One engine for both phases: the router adds nothing and loses nothing.</summary>
public sealed class HybridTests
{
    [Fact]
    public async Task The_body_reaches_the_engine_byte_for_byte_and_the_answer_comes_back_so()
    {
        const string Body = """{ "model":"m1","messages":[{"role":"user","content":"hi é 😀"}], "min_p":0.1,"chat_template_kwargs":{"enable_thinking":false},"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object"}}}, "seed" : 1e1 }""";
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.ChatAsync(Body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Body, Assert.Single(engine.Completions).Text);
        var answer = await TestRouter.JsonAsync(response);
        Assert.Equal("hello world", (string?)answer["choices"]![0]!["message"]!["content"]);
        Assert.Equal(5, (int?)answer["usage"]!["total_tokens"]);
        Assert.Equal("0", response.Headers.GetValues("x-engine-load").Single());
    }

    [Theory]
    [InlineData(400, null)]
    [InlineData(422, null)]
    [InlineData(429, "2")]
    public async Task A_refusal_is_passed_on_with_status_body_and_retry_after(int status, string? retryAfter)
    {
        await using var first = await ScriptedEngine.StartAsync();
        await using var second = await ScriptedEngine.StartAsync();
        first.Answer = second.Answer = async (http, request) =>
        {
            if (retryAfter is not null) http.Response.Headers.RetryAfter = retryAfter;
            await Replies.Json(status, """{"error":{"message":"no","type":"t","param":"p","code":"c"}}""")(http, request);
        };
        await using var router = await TestRouter.StartAsync(first, second);
        using var response = await router.ChatAsync();
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("""{"error":{"message":"no","type":"t","param":"p","code":"c"}}""", await response.Content.ReadAsStringAsync());
        Assert.Equal(retryAfter, response.Headers.RetryAfter?.ToString());
        Assert.Equal(1, first.Completions.Count + second.Completions.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failing_engine_is_replaced_before_the_first_byte(bool dies)
    {
        await using var bad = await ScriptedEngine.StartAsync();
        await using var good = await ScriptedEngine.StartAsync();
        bad.Answer = dies ? Replies.Death : Replies.Error(500);
        await using var router = await TestRouter.StartAsync(bad, good);
        for (var i = 0; i < 2; i++)   // round robin: one of the two starts with the bad one
        {
            using var response = await router.ChatAsync();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
        Assert.Single(bad.Completions);
        Assert.Equal(2, good.Completions.Count);
    }

    [Fact]
    public async Task An_engine_that_dies_inside_a_whole_answer_is_replaced_too()
    {
        await using var bad = await ScriptedEngine.StartAsync();
        await using var good = await ScriptedEngine.StartAsync();
        bad.Answer = static async (http, _) =>
        {
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = 1000;
            await Replies.SendAsync(http, "{\"id\":");
            http.Abort();
        };
        await using var router = await TestRouter.StartAsync(bad, good);
        for (var i = 0; i < 2; i++)
        {
            using var response = await router.ChatAsync();
            Assert.Equal("hello world", (string?)(await TestRouter.JsonAsync(response))["choices"]![0]!["message"]!["content"]);
        }
        Assert.Single(bad.Completions);
    }

    [Fact]
    public async Task When_the_only_engine_fails_the_client_gets_502_without_the_engines_page()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Answer = Replies.Json(500, "<html>Traceback</html>");
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("node_failed", await TestRouter.ErrorCodeAsync(response));
    }

    [Fact]
    public async Task When_all_engines_say_they_are_busy_the_client_is_told_to_come_back()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Answer = Replies.Error(503, "service_unavailable", "draining");
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Equal("no_capacity", await TestRouter.ErrorCodeAsync(response));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_keeps_the_shape_the_engine_gave_it(bool usage)
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        var options = usage ? ",\"stream_options\":{\"include_usage\":true}" : "";
        using var response = await router.ChatAsync($$"""{"model":"m1","messages":[{"role":"user","content":"hi"}],"stream":true{{options}}}""");
        await using var stream = await SseReader.OpenAsync(response);
        var events = await stream.RestAsync();
        Assert.Equal("[DONE]", events[^1]);
        var chunks = events[..^1].Select(data => JsonNode.Parse(data)!).ToList();
        Assert.Equal("assistant", (string?)chunks[0]["choices"]![0]!["delta"]!["role"]);
        Assert.Equal("hello world", SseReader.Content(events));
        Assert.Single(chunks, chunk => chunk["choices"] is JsonArray { Count: > 0 } choices && choices[0]!["finish_reason"] is not null);
        Assert.All(chunks, chunk => Assert.Equal(("c1", 7), ((string?)chunk["id"], (int)chunk["created"]!)));
        if (usage)
        {
            Assert.Empty((JsonArray)chunks[^1]["choices"]!);
            Assert.Equal(5, (int?)chunks[^1]["usage"]!["total_tokens"]);
        }
        else Assert.All(events, data => Assert.DoesNotContain("usage", data));
        Assert.Equal("no-cache", response.Headers.CacheControl?.ToString());
        await Eventually.Async(() => router.Log.Lines.Any(line => line.Contains("outcome=")));
        var line = router.Log.Lines.Single(line => line.Contains("outcome="));
        Assert.Contains("outcome=Completed", line);
        Assert.Contains("finish=stop", line);
        Assert.Contains(usage ? "completion=2" : "completion= ", line);
    }

    [Fact]
    public async Task The_bytes_of_a_stream_arrive_as_they_were_sent()
    {
        var emoji = Encoding.UTF8.GetBytes("data: 😀\n\n");
        byte[][] writes =
        [
            "data: first\ndata: second line\n\n"u8.ToArray(),
            ": a comment\n\n"u8.ToArray(),
            "id: 7\r\nevent: x\r\ndata: crlf\r\n\r\n"u8.ToArray(),
            emoji[..8],
            emoji[8..],
            Encoding.UTF8.GetBytes("data: " + new string('x', 1 << 20) + "\n\n"),
            "data: [DONE]\n\n"u8.ToArray(),
            "data: without an end"u8.ToArray(),
        ];
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Answer = async (http, _) =>
        {
            Replies.BeginStream(http);
            foreach (var bytes in writes)
            {
                await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
                await Task.Delay(20, http.RequestAborted);
            }
        };
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
        Assert.Equal(writes.SelectMany(bytes => bytes), await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>Case 8: an event is on its way as soon as it is whole. The engine writes the next one only when the client has this one.</summary>
    [Fact]
    public async Task Each_event_reaches_the_client_before_the_next_is_written()
    {
        using var seen = new SemaphoreSlim(0);
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Answer = async (http, _) =>
        {
            Replies.BeginStream(http);
            for (var i = 0; i < 40; i++)
            {
                await Replies.SendAsync(http, $"data: {i}\n\n");
                await seen.WaitAsync(http.RequestAborted);
            }
        };
        await using var router = await TestRouter.StartAsync(engine);
        await using var stream = await SseReader.OpenAsync(await router.ChatAsync(TestRouter.UserHiStreamed));
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(i.ToString(System.Globalization.CultureInfo.InvariantCulture), await stream.NextAsync());
            seen.Release();
        }
        Assert.Null(await stream.NextAsync());
    }

    [Fact]
    public async Task A_long_whole_answer_arrives_complete()
    {
        var text = new string('y', 9 << 20);
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Answer = Replies.Json(200, $$"""{"choices":[{"text":"{{text}}"}]}""");
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.ChatAsync();
        Assert.Equal(text, (string?)(await TestRouter.JsonAsync(response))["choices"]![0]!["text"]);
    }

    [Fact]
    public async Task A_client_that_stops_reading_is_let_go_and_holds_up_nobody()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        var piece = Replies.Chunk($$"""{"content":"{{new string('z', 60_000)}}"}""");
        engine.Answer = async (http, request) =>
        {
            if (!request.Text.Contains("slow", StringComparison.Ordinal))
            {
                await Replies.HelloWorld(http, request);
                return;
            }
            Replies.BeginStream(http);
            while (!http.RequestAborted.IsCancellationRequested) await Replies.SendAsync(http, piece);
        };
        var options = TestRouter.Defaults with { Deadlines = TestRouter.Defaults.Deadlines with { SlowReader = TimeSpan.FromSeconds(0.5) } };
        await using var router = await TestRouter.StartAsync(options, engine);
        using var slow = await router.ChatAsync("""{"model":"m1","messages":[{"role":"user","content":"slow"}],"stream":true}""");   // and never read
        using var other = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        await engine.Completions.First(request => request.Text.Contains("slow")).Aborted;
        await router.QuietAsync();
        Assert.Equal(0, router.NodeOf(engine).Breaker.Failures);
        await Eventually.Async(() => router.Log.Lines.Any(line => line.Contains("outcome=Aborted")));
    }

    [Fact]
    public async Task Completions_take_prompts_of_every_kind()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        foreach (var prompt in (string[])["\"hi\"", "[\"a\",\"b\"]", "[1,2,3]", "[[1],[2]]"])
        {
            using var response = await router.ChatAsync($$"""{"model":"m1","prompt":{{prompt}}}""", "/v1/completions");
            Assert.Equal("hello world", (string?)(await TestRouter.JsonAsync(response))["choices"]![0]!["text"]);
        }
        Assert.All(engine.Completions, request => Assert.Equal("/v1/completions", request.Path));
    }

    [Fact]
    public async Task Requests_go_round_both_roles_evenly()
    {
        ScriptedEngine[] engines =
        [
            await ScriptedEngine.StartAsync(EngineRole.Prefill), await ScriptedEngine.StartAsync(EngineRole.Prefill),
            await ScriptedEngine.StartAsync(EngineRole.Decode), await ScriptedEngine.StartAsync(EngineRole.Decode),
        ];
        await using (var router = await TestRouter.StartAsync(engines))
        {
            for (var i = 0; i < 8; i++) (await router.ChatAsync()).Dispose();
            Assert.All(engines, engine => Assert.Equal(4, engine.Completions.Count));
        }
        foreach (var engine in engines) await engine.DisposeAsync();
    }

    [Fact]
    public async Task An_engine_that_keeps_failing_is_left_alone()
    {
        await using var bad = await ScriptedEngine.StartAsync();
        await using var good = await ScriptedEngine.StartAsync();
        bad.Answer = Replies.Error(500);
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { Breaker = new BreakerOptions { Failures = 3 } }, bad, good);
        for (var i = 0; i < 20; i++)
        {
            using var response = await router.ChatAsync();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
        Assert.Equal(3, bad.Completions.Count);
    }
}
