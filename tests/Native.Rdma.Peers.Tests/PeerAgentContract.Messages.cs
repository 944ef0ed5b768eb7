using System.Text.Json;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Native.Rdma.Tests;

namespace NanoAspire.Native.Rdma.Peers.Tests;

public abstract partial class PeerAgentContract
{
    [Fact]
    public async Task Messages_are_received_and_flushed_and_counted_beside_the_transfers()
    {
        await using var server = await ServeAsync();
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        Assert.Equal(TransferCode.PeerLost, await CodeOfAsync(() => a.Agent.FlushAsync("b", default)));
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        var first = b.Agent.ReceiveAsync(9, default);
        Assert.Equal((1, 1), (b.Agent.Summary.PendingByOp["recv"], b.Agent.Summary.PendingOps));
        var sending = new[] { a.Agent.SendAsync("b", 9, "hello"u8.ToArray(), default), a.Agent.SendAsync("b", 9, "again"u8.ToArray(), default) };
        await a.Agent.FlushAsync("b", default);
        Assert.All(sending, static s => Assert.True(s.IsCompletedSuccessfully));
        Assert.Equal("hello"u8.ToArray(), (await first).ToArray());
        Assert.Equal("again"u8.ToArray(), (await b.Agent.ReceiveAsync(9, default)).ToArray());
        using var cancel = new CancellationTokenSource();
        var given = b.Agent.ReceiveNotificationAsync(cancel.Token);
        await cancel.CancelAsync();
        Assert.Equal(cancel.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given)).CancellationToken);

        var (sent, received) = (a.Agent.Summary, b.Agent.Summary);
        Assert.Equal(new PeerMessageTotals { Posted = 2, Bytes = 10 }, sent.Messages["send"]);
        Assert.Equal(new PeerMessageTotals { Posted = 2, Bytes = 10 }, received.Messages["recv"]);
        Assert.Equal(new PeerMessageTotals { Posted = 1, Failures = 1 }, received.Messages["imm_recv"]);
        Assert.Equal((0L, 0L, 0L, 0L), (sent.BatchTotal, sent.SubmittedBytesTotal, received.PendingOps, received.ErrorTotal));
        var waiting = b.Agent.ReceiveAsync(9, default);
        await b.Agent.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
    }

    [Fact]
    public async Task An_agent_reports_how_it_fares_and_that_it_has_stopped()
    {
        await using var server = await ServeAsync();
        using var sysfs = new FakeSysfs().Add("mlx5_0", "0000:81:00.0", "1", ("1: DOWN", "Ethernet", 5)).Add("mlx5_1", "0000:82:00.0", "1", ("4: ACTIVE", "Ethernet", 7));
        NicOptions nics = new() { SysfsRoot = sysfs.Root, VisibleDevices = null };
        await using var a = await Node.StartAsync(server.Url, "a", report: TimeSpan.FromMilliseconds(100), nics: nics);
        await using var b = await Node.StartAsync(server.Url, "b");
        var listed = (await server.OkAsync("/query", """{"scope":"s"}""")).EnumerateArray().Single(static p => p.GetProperty("name").GetString() == "a");
        Assert.Equal(("mlx5_1", 1, "RoCE"), (listed.GetProperty("device").GetString(), listed.GetProperty("ib_port").GetInt32(), listed.GetProperty("link_type").GetString()));
        Assert.Equal(["DEGRADED", "AVAILABLE"], listed.GetProperty("resource").GetProperty("nics").EnumerateArray().Select(static n => n.GetProperty("health").GetString()!));

        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        await PublishAsync(b, from);
        await PublishAsync(a, to, "into", RegionAccess.Local);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        await a.Agent.ReadAsync("b", [Range(0, 0, Size)], 0, default);
        async Task<JsonElement?> ReportAsync() =>
            (await server.OkAsync("/v1/peer_reports", """{"scope":"s"}""")).GetProperty("reports").EnumerateArray().Cast<JsonElement?>().SingleOrDefault();
        await Eventually.TrueAsync(async () => await ReportAsync() is { } r && r.GetProperty("summary").GetProperty("completed_bytes_total").GetInt64() == Size, "the bytes are reported");
        var report = (await ReportAsync())!.Value;
        Assert.Equal(("a", 2, 1), (report.GetProperty("peer_id").GetString(), report.GetProperty("nics").GetArrayLength(), report.GetProperty("connections").GetArrayLength()));
        Assert.True(report.GetProperty("connections")[0].GetProperty("connected").GetBoolean());
        Assert.False(report.TryGetProperty("status", out _));
        await a.Agent.DisposeAsync();
        var last = (await ReportAsync())!.Value;
        Assert.Equal(("stopped", report.GetProperty("session_id").GetString()), (last.GetProperty("status").GetString(), last.GetProperty("session_id").GetString()));
        Assert.InRange(await ReportLifeAsync(server, "a"), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));
    }
}
