using System.Diagnostics;
using System.Net;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Tests;

namespace NanoAspire.Ctrl.Tests.Resilience;

/// <summary>The service through the loss of a real Redis: it says 503 meanwhile and goes on by itself afterwards.</summary>
[Trait("needs", "redis")]
public sealed class RedisOutageTests : IAsyncLifetime
{
    private const string Register = """{"entity_id":"e1","kind":"k","scope":"s"}""";
    private const string Heartbeat = """{"entity_type":"service","entity_id":"e1","scope":"s"}""";
    private readonly RedisFixture _redis = new();
    private CtrlServer? _server;

    private CtrlServer Server => _server!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Needs.Redis, Needs.RedisReason);
        await _redis.InitializeAsync();
        _server = await CtrlServer.StartAsync(new CtrlOptions { Redis = _redis.Address, RedisTimeout = TimeSpan.FromSeconds(1) });
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_restart_with_its_data_loses_no_registration()
    {
        await Server.OkAsync("/register", Register);
        await _redis.SaveAsync();
        await _redis.KillAsync();
        await AssertUnavailableAsync();
        await _redis.StartAsync();
        await RecoveredAsync();
        Assert.Equal("ok", (await Server.OkAsync("/heartbeat", Heartbeat)).GetProperty("status").GetString());
        Assert.Equal(1, (await Server.OkAsync("/list_entities", """{"scope":"s"}""")).GetProperty("entities").GetArrayLength());
        Assert.Equal(1, await Server.Store.RevisionAsync("s", "service", default));
    }

    [Fact]
    public async Task A_restart_without_its_data_is_told_to_those_who_renew_and_to_those_who_watch()
    {
        await Server.OkAsync("/register", Register);
        using var changes = Server.Store.Subscribe("s", "service");
        await _redis.KillAsync();
        await AssertUnavailableAsync();
        _redis.DeleteData();
        await _redis.StartAsync();
        await RecoveredAsync();
        Assert.Equal("not_found", (await Server.OkAsync("/heartbeat", Heartbeat)).GetProperty("status").GetString());
        Assert.Equal(0, (await Server.OkAsync("/list_entities", """{"scope":"s"}""")).GetProperty("entities").GetArrayLength());
        await Server.OkAsync("/register", Register);
        Assert.Equal("ok", (await Server.OkAsync("/heartbeat", Heartbeat)).GetProperty("status").GetString());
        await Eventually.TrueAsync(async () =>
        {
            await Server.OkAsync("/register", Register);
            using var limit = new CancellationTokenSource(500);
            try { await changes.WaitAsync(limit.Token); }
            catch (OperationCanceledException) { return false; }
            return true;
        }, "the subscription works on the new server");
    }

    [Fact]
    public async Task A_partition_of_ten_seconds_is_answered_quickly_and_overcome()
    {
        await Server.OkAsync("/register", Register);
        _redis.Freeze();
        var frozen = Stopwatch.StartNew();
        while (frozen.Elapsed < TimeSpan.FromSeconds(10))
        {
            var (status, _) = await Server.PostAsync("/heartbeat", Heartbeat).WaitAsync(TimeSpan.FromSeconds(8));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        }
        _redis.Thaw();
        await RecoveredAsync();
        Assert.Equal("ok", (await Server.OkAsync("/heartbeat", Heartbeat)).GetProperty("status").GetString());
        Assert.Equal(1, (await Server.OkAsync("/list_entities", """{"scope":"s"}""")).GetProperty("entities").GetArrayLength());
        await Server.OkAsync("/unregister", """{"entity_id":"e1","scope":"s"}""");
        Assert.Equal(0, (await Server.OkAsync("/list_entities", """{"scope":"s"}""")).GetProperty("entities").GetArrayLength());
    }

    private async Task AssertUnavailableAsync()
    {
        var (status, body) = await Server.PostAsync("/register", Register);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "error"), (status, body.GetProperty("status").GetString()));
        Assert.StartsWith("Redis: ", body.GetProperty("message").GetString());
        foreach (var path in (string[])["/ready", "/health"])
        {
            using var probe = await Server.Http.GetAsync(path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, probe.StatusCode);
        }
        foreach (var path in (string[])["/", "/alive", "/metrics"])
        {
            using var alive = await Server.Http.GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        }
    }

    private Task RecoveredAsync() => Eventually.TrueAsync(async () =>
    {
        using var ready = await Server.Http.GetAsync("/ready");
        return ready.StatusCode == HttpStatusCode.OK;
    }, "ready again");
}
