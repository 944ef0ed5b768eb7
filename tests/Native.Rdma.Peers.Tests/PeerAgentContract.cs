using System.Net;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Native.Rdma.Tests;

namespace NanoAspire.Native.Rdma.Peers.Tests;

/// <summary>What agents do, whatever store the control plane has.</summary>
public abstract partial class PeerAgentContract
{
    private const int Size = 64 << 10;

    private protected abstract Task<CtrlServer> ServeAsync();

    /// <summary>Makes the lease of an agent that does not renew it lapse.</summary>
    private protected abstract Task LapseAsync(CtrlServer server, string alias);

    /// <summary>How long the report of an agent is kept from now on.</summary>
    private protected abstract Task<TimeSpan> ReportLifeAsync(CtrlServer server, string alias);

    private static Task<MemoryRegion> PublishAsync(Node node, TestMemory memory, string name = "kv", RegionAccess access = RegionAccess.PeersRead, IReadGuard? guard = null, IWriteGuard? grants = null) =>
        node.Agent.RegisterRegionAsync(name, memory.Address, (ulong)memory.Length, access, guard, grants, default);

    private static PeerRange Range(ulong remote, ulong local, ulong length) =>
        new() { Remote = "kv", RemoteOffset = remote, Local = "into", LocalOffset = local, Length = length };

    private static async Task<TransferCode> CodeOfAsync(Func<Task> transfer) => (await Assert.ThrowsAsync<TransferException>(transfer)).Code;

    [Fact]
    public async Task Declared_peers_are_connected_and_named_regions_move_between_them()
    {
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        await PublishAsync(b, from);
        await PublishAsync(a, to, "into", RegionAccess.Local);
        Assert.Equal(TransferCode.PeerLost, await CodeOfAsync(() => a.Agent.ReadAsync("b", [Range(0, 0, 1)], 0, default)));
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        var connection = await a.ConnectedAsync("b");
        Assert.Equal((PeerState.Connected, b.Agent.Self, "tcp", null), (connection.State, connection.Target, connection.Transport, connection.Cause));

        Assert.Equal(80, await a.Agent.ReadAsync("b", [Range(16, 0, 48), Range(0, 100, 32), Range(5, 5, 0)], 0, default));
        Assert.Equal(from.Span.Slice(16, 48), to.Span[..48]);
        Assert.Equal(from.Span[..32], to.Span.Slice(100, 32));
        Assert.False(to.Span[48..100].ContainsAnyExcept((byte)0));
        Assert.False(to.Span[132..].ContainsAnyExcept((byte)0));
        Assert.Equal(0, await a.Agent.ReadAsync("b", [], 0, default));
        Assert.Equal(TransferCode.OutOfRange, await CodeOfAsync(() => a.Agent.ReadAsync("b", [Range(Size - 1, 0, 2)], 0, default)));
        Assert.Equal(TransferCode.UnknownRegion, await CodeOfAsync(() => a.Agent.ReadAsync("b", [Range(0, 0, 1) with { Remote = "other" }], 0, default)));
        Assert.Equal(TransferCode.UnknownRegion, await CodeOfAsync(() => a.Agent.ReadAsync("b", [Range(0, 0, 1) with { Local = "other" }], 0, default)));

        var summary = a.Agent.Summary;
        Assert.Equal((80L, 0L, 4L, 6L), (summary.CompletedBytesTotal, summary.PendingOps, summary.ErrorTotal, summary.BatchTotal));
        Assert.Equal(summary.SubmittedBytesTotal, summary.CompletedBytesTotal + summary.FailedBytesTotal);
        Assert.Equal((1, (ulong)Size), (summary.UserMrCount, summary.UserMrBytes));
        Assert.Equal(80L, summary.ByPath["tcp"].CompletedBytes);
        Assert.Equal(summary.ByOp["read"], new() { Assign = summary.AssignTotal, Batch = 6, SubmittedBytes = summary.SubmittedBytesTotal, CompletedBytes = 80, FailedBytes = summary.FailedBytesTotal, Errors = 4 });
    }

    [Fact]
    public async Task A_write_needs_a_grant_and_its_notification_comes_after_the_data()
    {
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var grants = new WriteGrants();
        await PublishAsync(b, to, access: RegionAccess.PeersWrite, grants: grants);
        await PublishAsync(a, from, "into", RegionAccess.Local);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        var whole = Range(0, 0, Size);
        Assert.Equal(TransferCode.TokenRefused, await CodeOfAsync(() => a.Agent.WriteAsync("b", [whole], 7, null, default)));
        var token = grants.Allow(0, Size);
        Assert.Equal(Size, await a.Agent.WriteAsync("b", [whole], token, ("kv", 42), default));
        Assert.Equal(new PeerNotification("kv", token, 42), await b.Agent.ReceiveNotificationAsync(default));
        Assert.Equal(from.Span, to.Span);
    }

    [Fact]
    public async Task Connections_follow_the_topology_and_what_is_in_flight_ends_with_them()
    {
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        await using var c = await Node.StartAsync(server.Url, "c");
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var gate = new GateGuard();
        gate.Close();
        await PublishAsync(b, from, guard: gate);
        await PublishAsync(a, to, "into", RegionAccess.Local);
        await a.Agent.SetDesiredPeersAsync(["b", "c"], symmetric: false, default);
        await Task.WhenAll(a.ConnectedAsync("b"), a.ConnectedAsync("c"));
        var reading = a.Agent.ReadAsync("b", [Range(0, 0, Size)], 0, default);
        await gate.AskedAsync(1);
        await a.Agent.SetDesiredPeersAsync(["c"], symmetric: false, default);
        Assert.Equal(TransferCode.PeerLost, await CodeOfAsync(() => reading));
        gate.Open();
        await Eventually.TrueAsync(() => a.Agent.Connections is [{ Peer: "c", State: PeerState.Connected }], "only c is left");
        Assert.Equal(TransferCode.PeerLost, await CodeOfAsync(() => a.Agent.ReadAsync("b", [Range(0, 0, 1)], 0, default)));
        Assert.Contains(a.Changes, change => change is { Peer: "b", State: PeerState.Closed });
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        Assert.Equal(Size, await a.Agent.ReadAsync("b", [Range(0, 0, Size)], 0, default));
    }

    [Fact]
    public async Task A_topology_that_others_declared_before_the_agent_came_is_followed()
    {
        await using var server = await ServeAsync();
        await server.OkAsync("/v1/desired_topology/b", """{"target_peers":["c"],"scope":"s"}""");
        await using var a = await Node.StartAsync(server.Url, "a");
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: true, default);
        await using var b = await Node.StartAsync(server.Url, "b");
        await using var c = await Node.StartAsync(server.Url, "c");
        await Task.WhenAll(a.ConnectedAsync("b"), b.ConnectedAsync("a"), b.ConnectedAsync("c"));
        Assert.Empty(c.Agent.Connections);
        await server.OkAsync("/v1/desired_topology/b", """{"target_peers":[],"scope":"s"}""");
        await Eventually.TrueAsync(() => b.Agent.Connections.Count == 0, "b follows the operator");
    }

    [Fact]
    public async Task A_restarted_peer_is_a_new_one_also_on_the_old_port_and_with_the_old_region_number()
    {
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, "a");
        using var old = TestMemory.WithPattern(Size, seed: 1);
        using var fresh = TestMemory.WithPattern(Size, seed: 2);
        using var to = new TestMemory(Size);
        await PublishAsync(a, to, "into", RegionAccess.Local);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        var first = await Node.StartAsync(server.Url, "b");
        var region = await PublishAsync(first, old);
        Assert.Equal(first.Agent.Self, (await a.ConnectedAsync("b")).Target);
        Assert.Equal(Size, await a.Agent.ReadAsync("b", [Range(0, 0, Size)], 0, default));
        var port = IPEndPoint.Parse(first.Agent.Self.Address).Port;
        await first.DieAsync();
        await Eventually.TrueAsync(() => a.Agent.Connections is [{ State: not PeerState.Connected }], "the dead peer is noticed");
        Assert.Equal(TransferCode.PeerLost, await CodeOfAsync(() => a.Agent.ReadAsync("b", [Range(0, 0, Size)], 0, default)));

        await Assert.ThrowsAsync<PeerConflictException>(() => Node.StartAsync(server.Url, "b"));
        await LapseAsync(server, "b");
        await using var second = await Node.StartAsync(server.Url, "b", port: port);
        await Eventually.TrueAsync(() => a.Agent.Connections is [{ State: PeerState.Connected } now] && now.Target == second.Agent.Self, "the new incarnation");
        Assert.Null(await a.Agent.FindRegionAsync("b", "kv", default));
        Assert.Equal(TransferCode.UnknownRegion, await CodeOfAsync(() => a.Agent.ReadAsync("b", [Range(0, 0, Size)], 0, default)));
        Assert.Equal(region.Id, (await PublishAsync(second, fresh)).Id);
        Assert.Equal(Size, await a.Agent.ReadAsync("b", [Range(0, 0, Size)], 0, default));
        Assert.Equal(fresh.Span, to.Span);
        await first.DisposeAsync();
    }

    [Fact]
    public async Task A_peer_that_signs_off_is_dropped_and_found_again()
    {
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, "a");
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        for (var run = 0; run < 2; run++)
        {
            await using var b = await Node.StartAsync(server.Url, "b");
            await Eventually.TrueAsync(() => a.Agent.Connections is [{ State: PeerState.Connected } now] && now.Target == b.Agent.Self, "connected");
            await b.DisposeAsync();
            await Eventually.TrueAsync(() => a.Agent.Connections is [{ State: PeerState.Waiting }], "waiting for it");
        }
        Assert.DoesNotContain("\"b\"", (await server.OkAsync("/query", """{"scope":"s"}""")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_agents_with_one_name_one_starts()
    {
        await using var server = await ServeAsync();
        var started = new List<Node>();
        var starts = Enumerable.Range(0, 6).Select(_ => Node.StartAsync(server.Url, "same")).ToArray();
        foreach (var start in starts)
        {
            try { started.Add(await start); }
            catch (PeerConflictException e) { Assert.Equal("same", e.Alias); }
        }
        var winner = Assert.Single(started);
        await using var other = await Node.StartAsync(server.Url, "other");
        await other.Agent.SetDesiredPeersAsync(["same"], symmetric: false, default);
        Assert.Equal(winner.Agent.Self, (await other.ConnectedAsync("same")).Target);
        await winner.DisposeAsync();
    }

    [Fact]
    public async Task Two_agents_that_ask_for_one_another_at_once_are_both_connected()
    {
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        await Task.WhenAll(a.Agent.SetDesiredPeersAsync(["b"], symmetric: true, default), b.Agent.SetDesiredPeersAsync(["a"], symmetric: true, default));
        await Task.WhenAll(a.ConnectedAsync("b"), b.ConnectedAsync("a"));
    }

    [Fact]
    public async Task An_agent_whose_name_was_taken_over_stops()
    {
        await using var server = await ServeAsync();
        await using var slow = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        await slow.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await slow.ConnectedAsync("b");
        slow.IsCut = true;
        await LapseAsync(server, "a");
        await using var next = await Node.StartAsync(server.Url, "a");
        slow.IsCut = false;
        await Eventually.TrueAsync(() => slow.Agent.IsSuperseded, "it sees who has the name");
        await Eventually.TrueAsync(() => slow.Agent.Connections.Count == 0, "its connections end");
        await Assert.ThrowsAsync<PeerConflictException>(() => slow.Agent.ReadAsync("b", [], 0, default));
        await slow.DisposeAsync();
        await b.Agent.SetDesiredPeersAsync(["a"], symmetric: false, default);
        Assert.Equal(next.Agent.Self, (await b.ConnectedAsync("a")).Target);
    }

    [Fact]
    public async Task A_region_that_moves_or_goes_is_noticed_by_who_had_used_it()
    {
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        using var one = TestMemory.WithPattern(Size, seed: 1);
        using var two = TestMemory.WithPattern(Size, seed: 2);
        using var to = new TestMemory(Size);
        await PublishAsync(a, to, "into", RegionAccess.Local);
        await PublishAsync(b, one);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        await a.Agent.ReadAsync("b", [Range(0, 0, Size)], 0, default);
        await PublishAsync(b, two);
        Assert.Equal(Size, await a.Agent.ReadAsync("b", [Range(0, 0, Size)], 0, default));
        Assert.Equal(two.Span, to.Span);
        Assert.True(await b.Agent.UnregisterRegionAsync("kv", default));
        Assert.False(await b.Agent.UnregisterRegionAsync("kv", default));
        Assert.Equal(TransferCode.UnknownRegion, await CodeOfAsync(() => a.Agent.ReadAsync("b", [Range(0, 0, Size)], 0, default)));
        Assert.Equal(PeerState.Connected, (await a.ConnectedAsync("b")).State);
    }
}
