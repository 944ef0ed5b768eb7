using NanoAspire.Ctrl;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Native.Rdma.Tests;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Peers.Tests;

public sealed class EmbeddedPeerAgentTests : PeerAgentContract
{
    private readonly ManualTime _time = new();

    private protected override Task<CtrlServer> ServeAsync() => CtrlServer.StartAsync(time: _time);

    private protected override Task LapseAsync(CtrlServer server, string alias)
    {
        _time.Advance(TimeSpan.FromSeconds(61));                             // the others come back by themselves
        return Task.CompletedTask;
    }

    private protected override async Task<TimeSpan> ReportLifeAsync(CtrlServer server, string alias)
    {
        for (var life = TimeSpan.FromSeconds(1); ; life += TimeSpan.FromSeconds(1))
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            if ((await server.Store.ListReportsAsync("s", default)).Count == 0) return life;
        }
    }

    [Theory, InlineData("shm"), InlineData("auto"), InlineData("ucx")]
    public async Task Agents_connect_over_every_transport(string transport)
    {
        Assert.SkipUnless(transport != "ucx" || Needs.Ucx, Needs.UcxReason);
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, "a", transport);
        await using var b = await Node.StartAsync(server.Url, "b", transport);
        using var from = (transport == "ucx" ? TestMemory.Ucx(1 << 20) : TestMemory.Shared(1 << 20)).Fill();
        using var to = new TestMemory(1 << 20);
        await b.Agent.RegisterRegionAsync("kv", from.Address, 1 << 20, RegionAccess.PeersRead, null, null, default);
        await a.Agent.RegisterRegionAsync("into", to.Address, 1 << 20, RegionAccess.Local, null, null, default);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        Assert.Equal(transport, (await a.ConnectedAsync("b")).Transport);
        PeerRange whole = new() { Remote = "kv", RemoteOffset = 0, Local = "into", LocalOffset = 0, Length = 1 << 20 };
        Assert.Equal(1 << 20, await a.Agent.ReadAsync("b", [whole], 0, default));
        Assert.Equal(from.Span, to.Span);
        await a.DisposeAsync();
        await b.DisposeAsync();
    }

    [Fact]
    public async Task A_control_plane_that_forgot_everything_is_told_again_and_no_connection_ends()
    {
        var server = await ServeAsync();
        var port = new Uri(server.Url).Port;
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        using var from = TestMemory.WithPattern(4096);
        await b.Agent.RegisterRegionAsync("kv", from.Address, 4096, RegionAccess.PeersRead, null, null, default);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        a.Changes.Clear();
        await server.DisposeAsync();
        await using var empty = await CtrlServer.StartAsync(time: _time, port: port);
        await Eventually.TrueAsync(async () => await empty.OkAsync("/v1/read_topology", """{"agent_name":"a","scope":"s"}""") is var reply
            && reply.GetProperty("target_peers").ToString() == """["b"]""", "the wish is told again");
        await Eventually.TrueAsync(async () => (await empty.OkAsync("/get_mr_info", """{"src":"a","dst":"b","mr_name":"kv","scope":"s"}"""))
            .GetProperty("mr_info").ValueKind == System.Text.Json.JsonValueKind.Object, "the region is published again");
        Assert.Equal(new PeerRegion(new(2, 1), 4096), await a.Agent.FindRegionAsync("b", "kv", default));
        Assert.Empty(a.Changes);
    }

    [Fact]
    public async Task A_name_can_be_left_to_the_control_plane_and_mistakes_are_named()
    {
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, alias: null);
        Assert.Equal("agent-1", a.Agent.Alias);
        await Assert.ThrowsAsync<ArgumentException>(() => a.Agent.SetDesiredPeersAsync(["agent-1"], symmetric: false, default));
        await Assert.ThrowsAsync<ArgumentException>(() => a.Agent.SetDesiredPeersAsync([""], symmetric: false, default));
        await a.Agent.SetDesiredPeersAsync(["nobody"], symmetric: false, default);
        var error = await Assert.ThrowsAsync<TimeoutException>(() => a.Agent.WaitForAsync("nobody", TimeSpan.FromMilliseconds(300), default));
        Assert.Contains("connected are none", error.Message, StringComparison.Ordinal);
        var waiting = a.Agent.WaitForAsync("nobody", TimeSpan.FromMinutes(5), default);
        await a.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => a.Agent.ReadAsync("nobody", [], 0, default));
    }

    [Fact]
    public async Task Transfers_go_over_the_connection_that_the_agent_keeps()
    {
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        using var from = TestMemory.WithPattern(4096);
        using var to = new TestMemory(4096);
        var remote = await b.Agent.RegisterRegionAsync("kv", from.Address, 4096, RegionAccess.PeersRead, null, null, default);
        var local = await a.Agent.RegisterRegionAsync("into", to.Address, 4096, RegionAccess.Local, null, null, default);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        using var open = new OpenConnections();
        TransferRange whole = new() { Remote = remote.Id, RemoteOffset = 0, Local = local.Id, LocalOffset = 0, Length = 4096 };
        for (var i = 0; i < 50; i++) await a.Transport.ReadAsync(b.Agent.Self, [whole], 0, default);
        Assert.InRange(open.Opened, 0, 2);                                   // both ends of one more: a ping may have had the first at that moment
    }

    [Fact]
    public async Task Agents_leave_no_region_and_no_connection_behind()
    {
        await using var server = await ServeAsync();
        var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        using var memory = new TestMemory(4096);
        await a.Agent.RegisterRegionAsync("kv", memory.Address, 4096, RegionAccess.PeersRead, null, null, default);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: true, default);
        await Task.WhenAll(a.ConnectedAsync("b"), b.ConnectedAsync("a"));
        await a.Agent.DisposeAsync();
        Assert.Equal(0, a.Transport.Regions.Count);
        await a.DisposeAsync();
        await Eventually.TrueAsync(() => b.Agent.Connections is [{ State: PeerState.Waiting }], "b has nobody left");
        Assert.Equal(2, b.Transport.Regions.Count);
    }
}

[Trait("needs", "redis")]
public sealed class RedisPeerAgentTests(RedisFixture redis) : PeerAgentContract, IClassFixture<RedisFixture>
{
    private protected override async Task<CtrlServer> ServeAsync()
    {
        Assert.SkipUnless(Needs.Redis, Needs.RedisReason);
        await redis.FlushAsync();
        return await CtrlServer.StartAsync(new CtrlOptions { Redis = redis.Address });
    }

    private protected override async Task LapseAsync(CtrlServer server, string alias) => await redis.Raw.KeyDeleteAsync($"s:agent:{alias}");

    private protected override async Task<TimeSpan> ReportLifeAsync(CtrlServer server, string alias) => (await redis.Raw.KeyTimeToLiveAsync($"s:obs:peer:{alias}"))!.Value;
}
