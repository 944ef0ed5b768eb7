using System.Net;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>More requests than places, and a process that stops with requests in it.</summary>
public sealed class AdmissionTests
{
    [Fact]
    public async Task Beyond_the_places_one_waits_and_the_next_is_refused()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        var gate = new TaskCompletionSource();
        engine.Answer = async (http, request) =>
        {
            await gate.Task.WaitAsync(http.RequestAborted);
            await Replies.HelloWorld(http, request);
        };
        var options = TestRouter.Defaults with { Admission = new AdmissionOptions { MaxInFlight = 2, QueueLength = 1, QueueWait = TimeSpan.FromSeconds(3) } };
        await using var router = await TestRouter.StartAsync(options, engine);
        var served = new[] { router.ChatAsync(), router.ChatAsync() };
        await engine.SeenAsync(e => e.Completions.Count == 2);

        var queued = new[] { router.ChatAsync(), router.ChatAsync() };
        var codes = new List<string?>();
        foreach (var pending in queued)
        {
            using var refused = await pending;
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.True(refused.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
            codes.Add(await TestRouter.ErrorCodeAsync(refused));
        }
        Assert.Equal(["queue_full", "queue_timeout"], codes.Order());

        gate.SetResult();
        foreach (var pending in served) Assert.Equal(HttpStatusCode.OK, (await pending).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await router.ChatAsync()).StatusCode);
        Assert.Equal(3, engine.Completions.Count);
    }

    [Fact]
    public async Task A_client_that_leaves_the_queue_takes_no_place()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        var gate = new TaskCompletionSource();
        engine.Answer = async (http, request) =>
        {
            await gate.Task.WaitAsync(http.RequestAborted);
            await Replies.HelloWorld(http, request);
        };
        var options = TestRouter.Defaults with { Admission = new AdmissionOptions { MaxInFlight = 1, QueueLength = 1 } };
        await using var router = await TestRouter.StartAsync(options, engine);
        var first = router.ChatAsync();
        await engine.SeenAsync(e => e.Completions.Count == 1);
        using var leave = new CancellationTokenSource();
        var waiting = router.ChatAsync(ct: leave.Token);
        await Task.Delay(50);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Eventually.Async(() => router.Log.Lines.Any(line => line.Contains("outcome=Aborted")));
        gate.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await router.ChatAsync()).StatusCode);
        Assert.Equal(2, engine.Completions.Count);
    }

    [Fact]
    public async Task A_key_that_sends_too_fast_is_slowed_down_alone()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        var options = TestRouter.Defaults with { ApiKeys = ["a", "b"], Admission = new AdmissionOptions { RequestsPerSecond = 0.001, Burst = 2 } };
        await using var router = await TestRouter.StartAsync(options, engine);
        Assert.Equal(200, await StatusAsync("a"));
        Assert.Equal(200, await StatusAsync("a"));
        Assert.Equal(429, await StatusAsync("a"));
        Assert.Equal(200, await StatusAsync("b"));

        async Task<int> StatusAsync(string key)
        {
            using var response = await router.ChatAsync(headers: [("Authorization", "Bearer " + key)]);
            if (response.StatusCode is HttpStatusCode.TooManyRequests) Assert.Equal("rate_limited", await TestRouter.ErrorCodeAsync(response));
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task Stopping_lets_streams_finish_and_gives_back_every_lease()
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
        var gate = new TaskCompletionSource();
        decode.Answer = Replies.HelloThen(async http =>
        {
            await gate.Task;
            await Replies.SendAsync(http, Replies.Chunk("""{"content":" world"}""") + "data: [DONE]\n\n");
        });
        await using var router = await TestRouter.StartAsync(prefill, decode);
        using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
        await using var stream = await SseReader.OpenAsync(response);
        await stream.NextAsync();
        var stopping = router.StopAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            while (true) (await router.ChatAsync()).Dispose();   // new work is refused or finds no listener
        });
        gate.SetResult();
        Assert.Equal("hello world", SseReader.Content(await stream.RestAsync()));
        await stopping;
        Assert.Equal("""{"seq_ids":[41]}""", Assert.Single(prefill.Freed));
    }
}
