using System.Net;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Every way in which one of the two engines can fail, and what becomes of the request and of the parked blocks.</summary>
public sealed partial class DisaggregatedFailureTests : IAsyncLifetime
{
    private ScriptedEngine _p1 = null!, _p2 = null!, _d1 = null!, _d2 = null!;

    public async ValueTask InitializeAsync()
    {
        // Ids and roles fix who is asked first: round robin starts with the lowest URL, so the tests look at roles, not at names.
        _p1 = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        _p2 = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        _d1 = await ScriptedEngine.StartAsync(EngineRole.Decode);
        _d2 = await ScriptedEngine.StartAsync(EngineRole.Decode);
        if (string.CompareOrdinal(_p1.Url, _p2.Url) > 0) (_p1, _p2) = (_p2, _p1);
        if (string.CompareOrdinal(_d1.Url, _d2.Url) > 0) (_d1, _d2) = (_d2, _d1);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var engine in (ScriptedEngine[])[_p1, _p2, _d1, _d2]) await engine.DisposeAsync();
    }

    [Fact]
    public async Task Without_a_decode_engine_no_prompt_is_computed()
    {
        await using var router = await TestRouter.StartAsync(_p1);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter?.Delta);
        Assert.Equal("no_capacity", await TestRouter.ErrorCodeAsync(response));
        Assert.Empty(_p1.Completions);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_a_decode_engine_a_hybrid_one_serves_if_that_is_allowed(bool allowed)
    {
        await using var hybrid = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { HybridFallback = allowed }, _p1, hybrid);
        using var response = await router.ChatAsync();
        Assert.Equal(allowed ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(allowed ? 1 : 0, hybrid.Completions.Count);
        if (allowed) Assert.Null(hybrid.Completions[0].Body["kv_transfer_params"]);
        Assert.Empty(_p1.Completions);
    }

    [Fact]
    public async Task A_prefill_engine_that_refuses_connections_is_replaced_and_counted()
    {
        await using var router = await TestRouter.StartAsync(SlowProbes, _p1, _p2, _d1);
        await _p1.KillAsync();
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Single(_p2.Completions);
        await router.QuietAsync();
        Assert.Equal(1, router.NodeOf(_p1).Breaker.Failures);
        Assert.Equal("""{"seq_ids":[41]}""", Assert.Single(_p2.Freed));
    }

    [Fact]
    public async Task A_prefill_engines_refusal_is_the_clients_answer_at_once()
    {
        _p1.Answer = Replies.Error(400, "invalid_request_error", "context_length_exceeded", "too long");
        await using var router = await TestRouter.StartAsync(_p1, _p2, _d1);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("""{"error":{"message":"too long","type":"invalid_request_error","param":null,"code":"context_length_exceeded"}}""", await response.Content.ReadAsStringAsync());
        Assert.Empty(_p2.Completions);
        Assert.Empty(_d1.Completions);
        Assert.Equal(0, router.NodeOf(_p1).Breaker.Failures);
    }

    [Theory]
    [InlineData(200, "{}")]
    [InlineData(200, "not JSON")]
    [InlineData(200, "[1]")]
    [InlineData(500, """{"error":{"message":"out of memory"}}""")]
    [InlineData(503, """{"error":{"message":"draining","code":"draining"}}""")]
    public async Task A_useless_prefill_reply_is_asked_again_elsewhere(int status, string reply)
    {
        _p1.Answer = Replies.Json(status, reply);
        await using var router = await TestRouter.StartAsync(_p1, _p2, _d1);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Single(_p2.Completions);
        await router.QuietAsync();
        // An engine that says it is busy is not held to be broken.
        Assert.Equal(status == 503 ? 0 : 1, router.NodeOf(_p1).Breaker.Failures);
    }

    [Fact]
    public async Task A_prefill_engine_that_dies_over_the_prompt_is_replaced()
    {
        _p1.Answer = Replies.Death;
        await using var router = await TestRouter.StartAsync(_p1, _p2, _d1);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Single(_p2.Completions);
    }

    [Fact]
    public async Task A_prefill_that_takes_too_long_is_tried_elsewhere_and_then_times_out()
    {
        _p1.Answer = _p2.Answer = static (http, _) => Replies.ForeverAsync(http);
        var options = TestRouter.Defaults with { Deadlines = TestRouter.Defaults.Deadlines with { Prefill = TimeSpan.FromSeconds(2) } };
        await using var router = await TestRouter.StartAsync(options, _p1, _p2, _d1);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Equal("deadline_exceeded", await TestRouter.ErrorCodeAsync(response));
        await Assert.Single(_p1.Completions).Aborted;
        await Assert.Single(_p2.Completions).Aborted;
        Assert.Empty(_d1.Completions);
    }

    [Fact]
    public async Task When_all_prefill_engines_fail_a_hybrid_one_serves()
    {
        await using var hybrid = await ScriptedEngine.StartAsync();
        _p1.Answer = _p2.Answer = Replies.Error(500);
        await using var router = await TestRouter.StartAsync(_p1, _p2, _d1, hybrid);
        using var response = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Single(hybrid.Completions);
        Assert.Empty(_d1.Completions);
    }

    private static RouterOptions SlowProbes => TestRouter.Defaults with { Probe = new ProbeOptions { Interval = TimeSpan.FromMinutes(1) } };
}
