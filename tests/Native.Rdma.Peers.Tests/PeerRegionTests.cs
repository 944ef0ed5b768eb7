using System.Net;
using NanoAspire.Ctrl.Client;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Native.Rdma.Tests;

namespace NanoAspire.Native.Rdma.Peers.Tests;

/// <summary>What peers see of a name is what was asked for last.</summary>
public sealed class PeerRegionTests
{
    private const int Size = 4096;
    private static readonly PeerRange Whole = new() { Remote = "kv", RemoteOffset = 0, Local = "into", LocalOffset = 0, Length = Size };

    private readonly ManualTime _time = new();

    private static Task<MemoryRegion> PublishAsync(Node node, TestMemory memory, IReadGuard? guard = null) =>
        node.Agent.RegisterRegionAsync("kv", memory.Address, Size, RegionAccess.PeersRead, guard, null, default);

    [Fact]
    public async Task A_region_published_anew_is_seen_although_the_earlier_one_is_still_being_read()
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        using var one = TestMemory.WithPattern(Size, seed: 1);
        using var two = TestMemory.WithPattern(Size, seed: 2);
        using var to = new TestMemory(Size);
        var gate = new GateGuard();
        gate.Close();
        await PublishAsync(b, one, gate);
        await a.Agent.RegisterRegionAsync("into", to.Address, Size, RegionAccess.Local, null, null, default);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        var reading = a.Agent.ReadAsync("b", [Whole], 0, default);
        await gate.AskedAsync(1);
        var leaving = b.Agent.UnregisterRegionAsync("kv", default);
        var fresh = await PublishAsync(b, two);
        Assert.False(leaving.IsCompleted);
        gate.Open();
        await reading;
        Assert.Equal(one.Span, to.Span);
        Assert.True(await leaving);
        await using var c = await Node.StartAsync(server.Url, "c");
        await c.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await c.ConnectedAsync("b");
        Assert.Equal(fresh.Id, (await c.Agent.FindRegionAsync("b", "kv", default))?.Id);
        Assert.Equal(Size, await a.Agent.ReadAsync("b", [Whole], 0, default));
        Assert.Equal(two.Span, to.Span);
    }

    [Fact]
    public async Task Of_many_registrations_of_one_name_at_once_peers_see_the_one_that_stays()
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        using var memory = TestMemory.WithPattern(Size);
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        for (var round = 0; round < 5; round++)
        {
            var calls = Enumerable.Range(0, 16).Select(i => i % 4 == 3 ? b.Agent.UnregisterRegionAsync("kv", default) : (Task)PublishAsync(b, memory)).ToArray();
            await Task.WhenAll(calls);
            var last = await PublishAsync(b, memory);
            Assert.Equal(3, b.Transport.Regions.Count);
            var shown = await server.OkAsync("/get_mr_info", """{"src":"a","dst":"b","mr_name":"kv","scope":"s"}""");
            Assert.Equal(last.Id.Generation, shown.GetProperty("mr_info").GetProperty("rkey").GetUInt32());
        }
    }

    [Fact]
    public async Task What_the_control_plane_did_not_hear_is_said_again()
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        await using var b = await Node.StartAsync(server.Url, "b");
        using var memory = TestMemory.WithPattern(Size);
        await PublishAsync(b, memory);
        b.Intercept = static request => request.RequestUri!.AbsolutePath.EndsWith("register_mr", StringComparison.Ordinal)
            ? Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Content = new StringContent("{}") }) : null;
        await Assert.ThrowsAsync<CtrlException>(() => b.Agent.UnregisterRegionAsync("kv", default));
        Assert.Equal(2, b.Transport.Regions.Count);
        b.Intercept = null;
        await Eventually.TrueAsync(async () => (await server.OkAsync("/get_mr_info", """{"src":"a","dst":"b","mr_name":"kv","scope":"s"}"""))
            .GetProperty("mr_info").GetProperty("length").GetUInt64() == 0, "the withdrawal is told");
    }

    [Fact]
    public async Task A_region_that_is_being_registered_when_the_agent_ends_is_gone_with_it()
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        await using var b = await Node.StartAsync(server.Url, "b");
        using var memory = TestMemory.WithPattern(Size);
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        b.Intercept = request =>
        {
            if (!request.RequestUri!.AbsolutePath.EndsWith("register_mr", StringComparison.Ordinal)) return null;
            asked.TrySetResult();
            return answer.Task;
        };
        var registering = PublishAsync(b, memory);
        await asked.Task;
        var ending = b.Agent.DisposeAsync();
        answer.SetResult(new(HttpStatusCode.OK) { Content = new StringContent("{}") });
        await Record.ExceptionAsync(() => registering); // it may have been in time
        await ending;
        Assert.Equal(0, b.Transport.Regions.Count);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => PublishAsync(b, memory));
        Assert.Equal(0, b.Transport.Regions.Count);
    }
}
