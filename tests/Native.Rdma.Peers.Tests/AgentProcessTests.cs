using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Engine.Transfer.Tests;
using NanoAspire.Native.Rdma.Tests;

namespace NanoAspire.Native.Rdma.Peers.Tests;

/// <summary>Agents in processes of their own.</summary>
public sealed class AgentProcessTests
{
    private const int Bytes = 256 << 10;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(61), Grace = TimeSpan.FromMinutes(5);

    private readonly ManualTime _time = new();

    private static async Task<PeerProcess> StartAsync(CtrlServer server, string alias, int seed, int delayMs = 0)
    {
        var process = new PeerProcess("agent", server.Url, alias, seed, delayMs);
        Assert.Equal("ready", await process.ReadAsync());
        return process;
    }

    [Fact]
    public async Task Four_processes_read_one_another_and_one_that_was_killed_comes_back_as_another()
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        string[] names = ["p0", "p1", "p2", "p3"];
        var processes = await Task.WhenAll(names.Select((name, i) => StartAsync(server, name, seed: i)));
        try
        {
            await Task.WhenAll(names.Select((name, i) => processes[i].AskAsync($"want {string.Join(',', names.Where(n => n != name))}")));
            var incarnations = new string[4];
            foreach (var (reader, source) in Pairs()) incarnations[source] = await processes[reader].AskAsync($"wait {names[source]}");
            foreach (var (reader, source) in Pairs()) Assert.Equal("ok", await processes[reader].AskAsync($"read {names[source]} {source}"));

            await processes[3].KillAsync();
            for (var i = 0; i < 3; i++)
                await Eventually.TrueAsync(async () => await processes[i].AskAsync("state p3") != "Connected", $"p{i} notices");
            foreach (var (reader, source) in Pairs().Where(static p => p.Reader < 3 && p.Source < 3)) Assert.Equal("ok", await processes[reader].AskAsync($"read {names[source]} {source}"));
            Assert.Equal("PeerLost", await processes[0].AskAsync("read p3 3"));

            _time.Advance(Lease);                                            // the others come back by themselves
            processes[3] = await StartAsync(server, "p3", seed: 33);
            await processes[3].AskAsync("want p0,p1,p2");
            for (var i = 0; i < 3; i++)
            {
                Assert.NotEqual(incarnations[3], await processes[i].AskAsync("wait p3"));
                Assert.Equal(incarnations[i], await processes[3].AskAsync($"wait p{i}"));
                Assert.Equal(("ok", "ok"), (await processes[i].AskAsync("read p3 33"), await processes[3].AskAsync($"read p{i} {i}")));
            }
        }
        finally
        {
            foreach (var process in processes) await process.DisposeAsync();
        }

        static IEnumerable<(int Reader, int Source)> Pairs() =>
            from reader in Enumerable.Range(0, 4) from source in Enumerable.Range(0, 4) where reader != source select (reader, source);
    }

    [Fact]
    public async Task A_killed_agent_leaves_nothing_at_its_peer_and_nothing_in_the_control_plane()
    {
        using var open = new OpenConnections();
        await using var server = await CtrlServer.StartAsync(time: _time);
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await StartAsync(server, "b", seed: 1, delayMs: 5000);
        using var from = TestMemory.WithPattern(Bytes);
        using var to = new TestMemory(Bytes);
        var gate = new GateGuard();
        await a.Agent.RegisterRegionAsync("kv", from.Address, Bytes, RegionAccess.PeersRead, gate, null, default);
        await a.Agent.RegisterRegionAsync("into", to.Address, Bytes, RegionAccess.Local, null, null, default);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await b.AskAsync("want a");
        await a.ConnectedAsync("b");
        await b.AskAsync("wait a");
        await Eventually.TrueAsync(() => server.Logs.Lines.Any(static l => l.Message.StartsWith("audit heartbeat agent:b", StringComparison.Ordinal)), "b renews its lease");
        gate.Close();
        await b.WriteAsync("read a 0");                                      // held up here
        await gate.AskedAsync(1);
        PeerRange whole = new() { Remote = "kv", RemoteOffset = 0, Local = "into", LocalOffset = 0, Length = Bytes };
        var reading = a.Agent.ReadAsync("b", [whole], 0, default);           // held up there
        await Task.Delay(400);
        Assert.False(reading.IsCompleted);
        Assert.True(open.Count >= 2, $"{open.Count} connections");
        await b.KillAsync();

        Assert.Equal(TransferCode.PeerLost, (await Assert.ThrowsAsync<TransferException>(() => reading.WaitAsync(TimeSpan.FromSeconds(20)))).Code);
        await Eventually.TrueAsync(() => a.Agent.Connections is [{ State: not PeerState.Connected }], "it is noticed");
        gate.Open();
        Assert.Equal(0, await gate.PinsAsync(0));
        Assert.True(await a.Agent.UnregisterRegionAsync("kv", default).WaitAsync(TimeSpan.FromSeconds(20))); // no pin of the dead holds it
        Assert.True(await a.Agent.UnregisterRegionAsync("into", default).WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(2, a.Transport.Regions.Count);
        await Eventually.TrueAsync(() => open.Count == 0, "no connection to or from it is left");

        _time.Advance(Lease);
        await server.Store.SweepAsync(default);
        Assert.DoesNotContain("\"b\"", (await server.OkAsync("/query", """{"scope":"s"}""")).ToString(), StringComparison.Ordinal);
        _time.Advance(Grace);
        await server.Store.SweepAsync(default);
        Assert.Null(await server.Store.GetMemoryRegionAsync("s", "b", "kv", default));
        Assert.Null(await server.Store.GetTopologyAsync("s", "b", default));
        Assert.Empty(await server.Store.ReadMailAsync("s", "b", "0-0", 10, default));
        await Eventually.TrueAsync(() => a.Agent.Connections is [{ Peer: "b", State: PeerState.Waiting, Target: null }], "it is wanted still, and waited for");
    }
}
