using NanoAspire.Tests;
using NanoAspire.TransferPeer;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>A source and a reader with a real network between them.</summary>
[Trait("needs", "netns")]
public sealed class LinkTests
{
    private const int Blocks = 64;
    private const int BlockBytes = 64 << 10;

    [Fact(Skip = Needs.NetworkNamespacesReason, SkipUnless = nameof(Needs.NetworkNamespaces), SkipType = typeof(Needs))]
    public async Task A_link_that_drops_in_mid_read_is_a_gone_peer_and_after_its_return_everything_arrives()
    {
        await DropAndRestoreAsync("tcp", ucxTransports: null, Blocks);
    }

    /// <summary>What carries RDMA in a cluster, over the only device that there is between two namespaces.</summary>
    [Fact(Skip = Needs.NetworkNamespacesReason, SkipUnless = nameof(Needs.NetworkNamespaces), SkipType = typeof(Needs))]
    [Trait("needs", "ucx")]
    public async Task A_link_that_drops_under_UCX_is_a_gone_peer_and_after_its_return_everything_arrives()
    {
        Assert.SkipUnless(Needs.Ucx, Needs.UcxReason);
        await DropAndRestoreAsync("ucx-imitated", ucxTransports: "tcp", 16 * Blocks);
    }

    private static async Task DropAndRestoreAsync(string transport, string? ucxTransports, int blocks)
    {
        using var network = new NetworkNamespaces();
        await using var source = new PeerProcess(network.In(0), ucxTransports, "source", transport, blocks, BlockBytes, 60, 0, NetworkNamespaces.Address(0));
        await using var reader = new PeerProcess(network.In(1), ucxTransports, "reader", transport, blocks, BlockBytes, 1200);
        var ticket = await source.ParkAsync(blocks);
        Assert.Equal($"{blocks * BlockBytes}", await reader.AskAsync(PeerProcess.Text(ticket)));
        Assert.Equal("ok", await reader.AskAsync("forget"));
        var (readerStart, sourceStart) = (await reader.SettledAsync(), await source.SettledAsync());
        var served = await source.AskNumberAsync("requests");

        await reader.WriteAsync(PeerProcess.Text(ticket));
        for (var i = 0; i < 6000 && await source.AskNumberAsync("requests") < served + 8; i++) await Task.Delay(5);
        network.Pull();
        Assert.Contains(await reader.ReadAsync(), new[] { KvTransferException.PeerGone, KvTransferException.Timeout });

        network.Plug();
        Assert.Equal($"{blocks * BlockBytes}", await reader.AskAsync(PeerProcess.Text(ticket)));
        Assert.Equal(1, await source.AskNumberAsync($"free {ticket.SeqId}"));
        Assert.Equal(1, await source.AskNumberAsync("released"));
        Assert.Equal("ok", await reader.AskAsync("forget"));
        // UCX closes the sockets of a lost connection at the pace of the kernel's own timeouts: a minute and more.
        string[] except = ucxTransports is null ? [] : [ProcessResources.Sockets];
        await reader.AssertRestoredAsync(readerStart, except);
        await source.AssertRestoredAsync(sourceStart, except);
    }

    [Fact(Skip = Needs.NetworkNamespacesReason, SkipUnless = nameof(Needs.NetworkNamespaces), SkipType = typeof(Needs))]
    [Trait("needs", "ucx")]
    public async Task UCX_over_TCP_is_refused_rather_than_imitated_by_the_source()
    {
        Assert.SkipUnless(Needs.Ucx, Needs.UcxReason);
        using var network = new NetworkNamespaces();
        await using var source = new PeerProcess(network.In(0), "tcp", "source", "ucx", 4, BlockBytes, 0, 0, NetworkNamespaces.Address(0));
        await using var reader = new PeerProcess(network.In(1), "tcp", "reader", "ucx", 4, BlockBytes);
        var ticket = await source.ParkAsync(4);
        Assert.Equal(KvTransferException.IncompatibleLayout, await reader.AskAsync(PeerProcess.Text(ticket)));
        Assert.Equal("ok", await reader.AskAsync("forget"));
        var (readerStart, sourceStart) = (await reader.SettledAsync(), await source.SettledAsync());
        Assert.Equal(KvTransferException.IncompatibleLayout, await reader.AskAsync(PeerProcess.Text(ticket)));
        Assert.Equal("ok", await reader.AskAsync("forget"));
        await reader.AssertRestoredAsync(readerStart);
        await source.AssertRestoredAsync(sourceStart);
        await using var plain = new PeerProcess(network.In(1), null, "reader", "tcp", 4, BlockBytes);
        Assert.Equal($"{4 * BlockBytes}", await plain.AskAsync(PeerProcess.Text(ticket))); // unharmed
    }
}
