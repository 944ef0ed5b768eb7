using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.Ctrl.Security;
using NanoAspire.Ctrl.Tests.Support;

namespace NanoAspire.Ctrl.Client.Tests;

public sealed class CtrlClientTests
{
    [Fact]
    public async Task Peers_regions_and_mail_go_through_the_client()
    {
        await using var server = await CtrlServer.StartAsync();
        await using var services = Services(server.Url);
        var client = services.GetRequiredService<CtrlClient>();
        var started = await client.StartPeerAgentAsync(new PeerAgentInfo { Name = "e:0", Address = "127.0.0.1", Resource = JsonNode.Parse("""{"nics":[]}""") }, "i1", default);
        Assert.Equal(new StartedPeerAgent("e:0", ""), started);
        var conflict = await Assert.ThrowsAsync<CtrlException>(() => client.StartPeerAgentAsync(new PeerAgentInfo { Name = "e:0", Address = "127.0.0.1" }, "i2", default));
        Assert.Equal((409, false), (conflict.Status, conflict.IsTransient));
        Assert.Equal("agent-1", (await client.StartPeerAgentAsync(new PeerAgentInfo { Address = "127.0.0.1" }, instance: null, default)).Name);
        Assert.Equal("""{"nics":[]}""", (await client.QueryPeersAsync(default)).Single(a => a.Name == "e:0").Resource!.ToJsonString());
        Assert.True(await client.HeartbeatAsync("agent", "e:0", leaseId: null, default));

        var region = new MemoryRegionInfo(ulong.MaxValue, 4096, 7);
        await client.RegisterMemoryRegionAsync("e:0", "kv", region, default);
        Assert.Equal(region, await client.FindMemoryRegionAsync("agent-1", "e:0", "kv", default));
        Assert.Null(await client.FindMemoryRegionAsync("agent-1", "e:0", "other", default));

        await client.SetDesiredTopologyAsync("e:0", ["agent-1"], minBandwidth: null, symmetric: false, default);
        var wish = Assert.Single(await client.ReadMailAsync("e:0", "0-0", default));
        Assert.Equal(("connect_peer", "agent-1"), (wish.Fields["type"], wish.Fields["peer"]));
        Assert.Equal(["agent-1"], await client.ReadTopologyAsync("e:0", default));
        Assert.Null(await client.ReadTopologyAsync("agent-1", default));
        await client.PostMailAsync("agent-1", "e:0", "qp_ready", new Dictionary<string, string> { ["qp_info"] = "{}" }, default);
        Assert.Equal("{}", Assert.Single(await client.ReadMailAsync("agent-1", "0-0", default)).Fields["qp_info"]);
        Assert.Empty(await client.ReadMailAsync("e:0", wish.Id, default));

        await client.CleanupPeerAsync("e:0", default);
        Assert.Equal(["e:0"], await client.TakeNoticesAsync("agent-1", default));
        Assert.False(await client.HeartbeatAsync("agent", "e:0", leaseId: null, default));
    }

    [Fact]
    public async Task The_token_is_sent_and_its_absence_is_an_error_that_no_retry_heals()
    {
        await using var server = await CtrlServer.StartAsync(new CtrlOptions { Tokens = new AccessTokens("t", new Dictionary<string, string>()) });
        await using var without = Services(server.Url);
        var entity = new EntityInfo { EntityId = "a", Kind = "k" };
        var refused = await Assert.ThrowsAsync<CtrlException>(() => without.GetRequiredService<CtrlClient>().RegisterAsync(entity, leaseId: null, default));
        Assert.Equal((401, false), (refused.Status, refused.IsTransient));
        await using var with = Services(server.Url, options => options.Token = "t");
        await with.GetRequiredService<CtrlClient>().RegisterAsync(entity, leaseId: null, default);
        Assert.Equal("a", (await with.GetRequiredService<CtrlClient>().FindAsync("service", "a", default))!.EntityId);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up_after_the_call_time_out()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        await using var services = Services($"{silent.LocalEndpoint}", options => options.CallTimeout = TimeSpan.FromMilliseconds(200));
        var failure = await Assert.ThrowsAsync<CtrlException>(() => services.GetRequiredService<CtrlClient>().ListAsync("service", kind: null, default));
        Assert.True(failure.IsTransient);
        Assert.Null(failure.Status);
    }

    [Theory]
    [InlineData("127.0.0.1:4479", "http://127.0.0.1:4479")]
    [InlineData("http://ctrl/", "http://ctrl")]
    [InlineData("https://ctrl:1//", "https://ctrl:1")]
    public void An_address_is_host_and_port_or_a_url(string address, string expected) => Assert.Equal(expected, new CtrlClientOptions { Address = address }.BaseUrl);

    private static ServiceProvider Services(string url, Action<CtrlClientOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddCtrlClient(options =>
        {
            options.Address = url;
            options.Scope = "s";
            configure?.Invoke(options);
        });
        return services.BuildServiceProvider();
    }
}
