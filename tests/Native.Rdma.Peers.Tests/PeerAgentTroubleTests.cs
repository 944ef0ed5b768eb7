using System.Net;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Native.Rdma.Tests;

namespace NanoAspire.Native.Rdma.Peers.Tests;

/// <summary>Nothing that others do wrong ends an agent's work.</summary>
public sealed class PeerAgentTroubleTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public async Task A_handler_that_throws_keeps_no_other_from_hearing_and_the_agent_from_nothing()
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        a.Agent.ConnectionChanged -= a.Changes.Enqueue;
        a.Agent.ConnectionChanged += static _ => throw new InvalidOperationException("not ours");
        a.Agent.ConnectionChanged += a.Changes.Enqueue;
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        await Eventually.TrueAsync(() => a.Changes.Any(static c => c.State == PeerState.Connected), "the handler after it is told");
        await a.Agent.SetDesiredPeersAsync([], symmetric: false, default);
        await Eventually.TrueAsync(() => a.Agent.Connections.Count == 0, "it still follows");
        await a.Agent.DisposeAsync();
        Assert.DoesNotContain("\"a\"", (await server.OkAsync("/query", """{"scope":"s"}""")).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("query", "[5]")]
    [InlineData("query", "{}")]
    [InlineData("query", """[{"name":"b","resource":{"transfer":1,"transfer":2}}]""")]
    [InlineData("read_topology", """{"target_peers":[null]}""")]
    [InlineData("read_topology", "7")]
    [InlineData("take_notices", """{"notices":[3]}""")]
    [InlineData("take_notices", "[]")]
    [InlineData("heartbeat", "null")]
    public async Task A_reply_that_makes_no_sense_is_survived(string route, string reply)
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        var answered = 0;
        a.Intercept = request =>
        {
            if (!request.RequestUri!.AbsolutePath.EndsWith(route, StringComparison.Ordinal)) return null;
            Interlocked.Increment(ref answered);
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(reply) });
        };
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        if (route != "heartbeat") await Eventually.TrueAsync(() => Volatile.Read(ref answered) > 2, "it asks again and again");
        a.Intercept = null;
        await a.ConnectedAsync("b");
        await Eventually.TrueAsync(() => a.Agent.Trouble is null, "it is over");
    }

    [Fact]
    public async Task An_agent_whose_record_is_no_proper_json_object_disturbs_nobody()
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        await server.OkAsync("/start_peer_agent", """{"alias":"evil","address":"x","scope":"s","resource":{"transfer":1,"transfer":{"version":1}}}""");
        await using var a = await Node.StartAsync(server.Url, "a");
        await using var b = await Node.StartAsync(server.Url, "b");
        await a.Agent.SetDesiredPeersAsync(["evil", "b"], symmetric: false, default);
        await a.ConnectedAsync("b");
        Assert.Null(a.Agent.Trouble);
        Assert.Equal(PeerState.Waiting, a.Agent.Connections.Single(static c => c.Peer == "evil").State);
    }

    [Fact]
    public async Task A_transport_that_throws_what_no_transport_should_is_tried_again()
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        var faulty = new FaultyTransport(Node.Create("tcp", port: 0), faults: 3);
        await using var a = await Node.StartAsync(server.Url, "a", with: faulty);
        await using var b = await Node.StartAsync(server.Url, "b");
        await a.Agent.SetDesiredPeersAsync(["b"], symmetric: false, default);
        Assert.Equal(0, (await a.ConnectedAsync("b")).Attempts);
        Assert.Equal(0, faulty.FaultsLeft);
        Assert.Contains(a.Changes, static c => c.State == PeerState.Failed && c.Cause!.Contains("a bug", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_topology_declared_before_survives_a_start_that_stumbles_after_its_clean_up()
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        await server.OkAsync("/v1/desired_topology/b", """{"target_peers":["c"],"scope":"s"}""");
        var starts = 0;
        await using var b = await Node.StartAsync(server.Url, "b", intercept: request => IsStart(request) && ++starts == 2 ? Cut() : null);
        Assert.True(starts >= 3);
        await Eventually.TrueAsync(() => b.Agent.Connections is [{ Peer: "c" }], "what was declared is wanted");
    }

    [Fact]
    public async Task A_start_that_fails_leaves_its_name_free_and_declared_what_was_declared()
    {
        await using var server = await CtrlServer.StartAsync(time: _time);
        await server.OkAsync("/v1/desired_topology/b", """{"target_peers":["c"],"scope":"s"}""");
        using var stop = new CancellationTokenSource();
        var declared = false;
        Task<HttpResponseMessage>? Intercept(HttpRequestMessage request)
        {
            if (declared || !request.RequestUri!.AbsolutePath.Contains("desired_topology", StringComparison.Ordinal)) return null;
            declared = true;
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.BadRequest) { Content = new StringContent("{}") });
        }
        await Assert.ThrowsAsync<NanoAspire.Ctrl.Client.CtrlException>(() => Node.StartAsync(server.Url, "b", intercept: Intercept));
        Assert.DoesNotContain("\"b\"", (await server.OkAsync("/query", """{"scope":"s"}""")).ToString(), StringComparison.Ordinal);
        await using var b = await Node.StartAsync(server.Url, "b");
        await Eventually.TrueAsync(() => b.Agent.Connections is [{ Peer: "c" }], "what was declared is wanted");
    }

    private static bool IsStart(HttpRequestMessage request) => request.RequestUri!.AbsolutePath.EndsWith("start_peer_agent", StringComparison.Ordinal);

    private static Task<HttpResponseMessage> Cut() => Task.FromException<HttpResponseMessage>(new HttpRequestException("cut off"));
}
