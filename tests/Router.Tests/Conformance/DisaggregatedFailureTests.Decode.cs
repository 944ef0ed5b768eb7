using System.Net;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Failures from the hand-off on: decode engines, broken streams, clients that leave.</summary>
public sealed partial class DisaggregatedFailureTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_decode_engine_that_fails_before_the_first_byte_is_replaced_with_the_same_hand_off(bool dies)
    {
        _d1.Answer = dies ? Replies.Death : Replies.Error(500);
        var gate = new TaskCompletionSource();
        _d2.Answer = Replies.HelloThen(async http =>
        {
            await gate.Task;
            await Replies.SendAsync(http, "data: [DONE]\n\n");
        });
        await using var router = await TestRouter.StartAsync(_p1, _d1, _d2);
        using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
        await using var events = await SseReader.OpenAsync(response);
        await events.NextAsync();
        Assert.Empty(_p1.Frees);   // the second engine still needs the blocks
        gate.SetResult();
        await events.RestAsync();

        await router.QuietAsync();
        Assert.Single(_p1.Completions);
        Assert.Equal(_d1.Completions[0].Text, Assert.Single(_d2.Completions).Text);
        Assert.Equal("""{"seq_ids":[41]}""", Assert.Single(_p1.Freed));
    }

    [Fact]
    public async Task When_all_decode_engines_fail_the_blocks_are_freed_once()
    {
        _d1.Answer = _d2.Answer = Replies.Error(500);
        await using var router = await TestRouter.StartAsync(_p1, _d1, _d2);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("node_failed", await TestRouter.ErrorCodeAsync(response));
        await router.QuietAsync();
        Assert.Equal("""{"seq_ids":[41]}""", Assert.Single(_p1.Freed));
    }

    [Fact]
    public async Task A_decode_engines_refusal_of_the_request_is_passed_on()
    {
        _d1.Answer = Replies.Error(422, "invalid_request_error", "bad_parameter");
        await using var router = await TestRouter.StartAsync(_p1, _d1, _d2);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal("bad_parameter", await TestRouter.ErrorCodeAsync(response));
        Assert.Empty(_d2.Completions);
        await router.QuietAsync();
        Assert.Single(_p1.Frees);
    }

    [Theory]
    [InlineData(503, "kv_transfer_error", "lease_expired")]
    [InlineData(503, "kv_transfer_error", "kv_corrupt")]
    [InlineData(409, "invalid_request_error", "incompatible_layout")]
    [InlineData(500, "server_error", "peer_gone")]
    public async Task A_refused_hand_off_leads_to_one_new_prefill_on_another_engine(int status, string type, string code)
    {
        _p1.Answer = Replies.Parked(41, "old");
        _p2.Answer = Replies.Parked(42, "new");
        _d1.Answer = async (http, request) =>
        {
            if (request.Text.Contains("old", StringComparison.Ordinal)) await Replies.Error(status, type, code)(http, request);
            else await Replies.HelloWorld(http, request);
        };
        await using var router = await TestRouter.StartAsync(_p1, _p2, _d1);
        using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
        await using var events = await SseReader.OpenAsync(response);
        Assert.Equal("hello world", SseReader.Content(await events.RestAsync()));
        await router.QuietAsync();
        Assert.Equal("""{"seq_ids":[41]}""", Assert.Single(_p1.Freed));
        Assert.Equal("""{"seq_ids":[42]}""", Assert.Single(_p2.Freed));
        Assert.Equal(0, router.NodeOf(_d1).Breaker.Failures);   // it did what it had to
    }

    [Fact]
    public async Task A_hand_off_refused_twice_is_given_up()
    {
        _d1.Answer = Replies.Error(503, "kv_transfer_error", "lease_expired");
        await using var router = await TestRouter.StartAsync(_p1, _d1);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal(2, _p1.Completions.Count);
        Assert.Equal(2, _d1.Completions.Count);
        await router.QuietAsync();
        Assert.Equal(2, _p1.Freed.Sum(freed => freed.Split("41").Length - 1));   // one a hand-off, alone or together
    }

    [Fact]
    public async Task A_stream_that_opens_with_an_error_counts_as_a_failure_before_the_first_byte()
    {
        _d1.Answer = static async (http, _) =>
        {
            Replies.BeginStream(http);
            await Replies.SendAsync(http, """data: {"error":{"message":"no","type":"server_error","code":"engine_failed"}}""" + "\n\n");
        };
        await using var router = await TestRouter.StartAsync(_p1, _d1, _d2);
        using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
        await using var events = await SseReader.OpenAsync(response);
        Assert.Equal("hello world", SseReader.Content(await events.RestAsync()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_that_breaks_ends_with_one_error_event_and_no_done(bool insideAnEvent)
    {
        var seen = new TaskCompletionSource();
        _d1.Answer = Replies.HelloThen(async http =>
        {
            await seen.Task;
            if (insideAnEvent) await Replies.SendAsync(http, "data: {\"id\":\"c1\",\"cho");
            http.Abort();
        });
        await using var router = await TestRouter.StartAsync(_p1, _d1, _d2);
        using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
        await using var stream = await SseReader.OpenAsync(response);
        List<string> events = [(await stream.NextAsync())!, (await stream.NextAsync())!];
        seen.SetResult();
        events.AddRange(await stream.RestAsync());
        Assert.Equal(3, events.Count);
        Assert.Equal("hello", SseReader.Content(events));
        Assert.StartsWith("{\"error\":", events[2]);
        Assert.Contains("\"code\":\"node_failed\"", events[2]);
        await router.QuietAsync();
        Assert.Empty(_d2.Completions);
        Assert.Single(_p1.Frees);
        Assert.Equal(1, router.NodeOf(_d1).Breaker.Failures);
    }

    [Fact]
    public async Task A_stream_that_falls_silent_ends_with_an_error_event()
    {
        _d1.Answer = Replies.HelloThen(Replies.ForeverAsync);
        var options = TestRouter.Defaults with { Deadlines = TestRouter.Defaults.Deadlines with { Silence = TimeSpan.FromSeconds(2) } };
        await using var router = await TestRouter.StartAsync(options, _p1, _d1);
        using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
        await using var stream = await SseReader.OpenAsync(response);
        var events = await stream.RestAsync();
        Assert.Contains("node_failed", events[^1]);
        await Assert.Single(_d1.Completions).Aborted;
        await router.QuietAsync();
        Assert.Single(_p1.Frees);
    }

    [Fact]
    public async Task A_client_that_leaves_during_decode_frees_everything()
    {
        _d1.Answer = Replies.HelloThen(Replies.ForeverAsync);
        await using var router = await TestRouter.StartAsync(_p1, _d1);
        using (var response = await router.ChatAsync(TestRouter.UserHiStreamed))
        {
            await using var events = await SseReader.OpenAsync(response);
            await events.NextAsync();
            await events.NextAsync();
        }
        await Assert.Single(_d1.Completions).Aborted;
        await router.QuietAsync();
        Assert.Equal("""{"seq_ids":[41]}""", Assert.Single(_p1.Freed));
        Assert.Equal((0, BreakerState.Closed), (router.NodeOf(_d1).Breaker.Failures, router.NodeOf(_d1).Breaker.State));
        await Eventually.Async(() => router.Log.Lines.Any(line => line.Contains("outcome=")));
        Assert.Contains("outcome=Aborted", router.Log.Lines.Single(line => line.Contains("outcome=")));
    }

    [Fact]
    public async Task A_client_that_leaves_during_prefill_stops_it_and_decode_is_never_called()
    {
        _p1.Answer = static (http, _) => Replies.ForeverAsync(http);
        await using var router = await TestRouter.StartAsync(_p1, _d1);
        using var leave = new CancellationTokenSource();
        var response = router.ChatAsync(ct: leave.Token);
        await _p1.SeenAsync(engine => engine.Completions.Count == 1);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => response);
        await _p1.Completions[0].Aborted;
        await router.QuietAsync();
        Assert.Empty(_d1.Completions);
        Assert.Equal(0, router.NodeOf(_p1).Breaker.Failures);
    }

    [Fact]
    public async Task A_client_that_leaves_before_decodes_first_byte_frees_everything()
    {
        _d1.Answer = static (http, _) => Replies.ForeverAsync(http);
        await using var router = await TestRouter.StartAsync(_p1, _d1, _d2);
        using var leave = new CancellationTokenSource();
        var response = router.ChatAsync(ct: leave.Token);
        await _d1.SeenAsync(engine => engine.Completions.Count == 1);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => response);
        await _d1.Completions[0].Aborted;
        await router.QuietAsync();
        Assert.Empty(_d2.Completions);
        Assert.Single(_p1.Frees);
    }

    [Fact]
    public async Task Freeing_is_tried_again_until_the_engine_takes_it()
    {
        var calls = 0;
        _p1.OnFree = http =>
        {
            if (Interlocked.Increment(ref calls) == 1) http.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await using var router = await TestRouter.StartAsync(_p1, _d1);
        using var response = await router.ChatAsync();
        await router.QuietAsync();
        Assert.Equal(2, _p1.Frees.Count);
    }

    [Fact]
    public async Task The_clients_own_time_limit_ends_the_request()
    {
        _d1.Answer = static (http, _) => Replies.ForeverAsync(http);
        await using var router = await TestRouter.StartAsync(_p1, _d1);
        using var response = await router.ChatAsync(headers: [("x-request-timeout-ms", "300")]);
        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        await router.QuietAsync();
        Assert.Single(_p1.Frees);
        Assert.Equal(0, router.NodeOf(_d1).Breaker.Failures);
    }
}
