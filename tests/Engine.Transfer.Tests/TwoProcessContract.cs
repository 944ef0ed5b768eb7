using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>
/// What happens to one process when something happens to the other in the middle of a read, or to the read itself; and that
/// afterwards whoever lives holds no more than before.
/// </summary>
public abstract class TwoProcessContract(string transport)
{
    private const int Blocks = 64;
    private const int BlockBytes = 64 << 10;
    private static readonly int FrameTimeoutMs = 1200 * Slowness.Factor;
    /// <summary>Hand-offs whose blocks went back to the source, when that of the test did.</summary>
    private const int ReleasedAll = ProcessPair.WarmUps + 1;
    private static readonly string Everything = $"{Blocks * BlockBytes}";

    /// <summary>Of every request at the source, so that a pull takes a second or two.</summary>
    private readonly int _delayMs = Slowness.Factor * (transport == "tcp" ? 40 : 400);

    /// <summary>Requests at the source when something has arrived, and when everything has: one a frame, or one a pin of sixteen.</summary>
    private readonly (int Some, int All) _requests = transport == "tcp" ? (Blocks / 8, Blocks) : (2, Blocks / 16);

    private PeerProcess StartSource(int blocks, int port) => new("source", transport, blocks, BlockBytes, 0, port);

    private Task<ProcessPair> StartAsync(int blocks = Blocks) => ProcessPair.StartAsync(
        transport, () => StartSource(blocks, port: 0), () => new("reader", transport, blocks, BlockBytes, FrameTimeoutMs), async pair =>
        {
            var ticket = await pair.Owner.ParkAsync(4);
            Assert.Equal($"{4 * BlockBytes}", await PullAsync(pair, ticket));
            await FreeAsync(pair, ticket);
        });

    private static Task<string> PullAsync(ProcessPair pair, HandoffTicket ticket) => pair.User.AskAsync(PeerProcess.Text(ticket));

    private static async Task FreeAsync(ProcessPair pair, HandoffTicket ticket) => Assert.Equal(1, await pair.Owner.AskNumberAsync($"free {ticket.SeqId}"));

    /// <summary>Starts to pull everything from a slow source; returns when something has arrived, and more is to come.</summary>
    private async Task<HandoffTicket> BeginAsync(ProcessPair pair)
    {
        Assert.Equal("ok", await pair.Owner.AskAsync($"delay {_delayMs}"));
        var ticket = await pair.Owner.ParkAsync(Blocks);
        var served = await pair.Owner.AskNumberAsync("requests");
        await pair.User.WriteAsync(PeerProcess.Text(ticket));
        await UntilAsync(async () => await pair.Owner.AskNumberAsync("requests") >= served + _requests.Some);
        Assert.InRange(await pair.Owner.AskNumberAsync("requests"), served + _requests.Some, served + _requests.All - 1);
        return ticket;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 2000 * Slowness.Factor && !await condition(); i++) await Task.Delay(5);
        Assert.True(await condition());
    }

    private static async Task FailAsync(ProcessPair pair, HandoffTicket ticket, string code) => Assert.Equal(code, await PullAsync(pair, ticket));

    [Fact]
    public async Task Blocks_cross_processes_whole()
    {
        await using var pair = await StartAsync();
        var ticket = await pair.Owner.ParkAsync(Blocks);
        Assert.Equal(Everything, await PullAsync(pair, ticket));
        Assert.Equal(await pair.Owner.AskAsync("digest"), await pair.User.AskAsync("digest"));
        Assert.Equal(transport, await pair.User.AskAsync("path"));
        await FreeAsync(pair, ticket);
        Assert.Equal(ReleasedAll, await pair.Owner.AskNumberAsync("released"));
        await FailAsync(pair, ticket, KvTransferException.LeaseExpired);
        Assert.Equal(0, await pair.Owner.AskNumberAsync($"free {ticket.SeqId}"));
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_source_killed_in_mid_read_is_a_gone_peer()
    {
        await using var pair = await StartAsync();
        await BeginAsync(pair);
        await pair.Owner.KillAsync();
        Assert.Equal(KvTransferException.PeerGone, await pair.User.ReadAsync());
        Assert.Equal("ok", await pair.User.AskAsync("fill 119"));
        await Task.Delay(200);
        Assert.Equal("True", await pair.User.AskAsync("filled 119"));
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_source_stopped_for_longer_than_the_deadline_is_a_gone_peer_and_cannot_write_when_it_wakes()
    {
        await using var pair = await StartAsync();
        var ticket = await BeginAsync(pair);
        pair.Owner.Signal(PeerProcess.Stop);
        Assert.Equal(KvTransferException.PeerGone, await pair.User.ReadAsync());
        Assert.Equal("ok", await pair.User.AskAsync("fill 119"));
        pair.Owner.Signal(PeerProcess.Continue);
        await Task.Delay(500);
        Assert.Equal("True", await pair.User.AskAsync("filled 119"));

        Assert.Equal(Everything, await PullAsync(pair, ticket)); // awake again, and the lease still runs
        await FreeAsync(pair, ticket);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_source_stopped_for_a_moment_costs_a_retry_only()
    {
        await using var pair = await StartAsync();
        var ticket = await BeginAsync(pair);
        pair.Owner.Signal(PeerProcess.Stop);
        await Task.Delay(FrameTimeoutMs + 300 * Slowness.Factor);
        pair.Owner.Signal(PeerProcess.Continue);
        Assert.Equal(Everything, await pair.User.ReadAsync());
        Assert.InRange(await pair.User.AskNumberAsync("retries"), 1, 2);
        await FreeAsync(pair, ticket);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_reader_killed_in_mid_read_leaves_no_pin_and_no_handle()
    {
        await using var pair = await StartAsync();
        var ticket = await BeginAsync(pair);
        await pair.User.KillAsync();
        await FreeAsync(pair, ticket);
        await UntilAsync(async () => await pair.Owner.AskNumberAsync("released") == ReleasedAll);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_source_restarted_on_the_same_port_never_serves_the_old_ticket()
    {
        await using var pair = await StartAsync();
        var old = await pair.Owner.ParkAsync(4);
        await PullAsync(pair, old); // connections to the first process are in the pool
        await pair.Owner.KillAsync();
        await FailAsync(pair, old, KvTransferException.PeerGone);
        await pair.ReplaceOwnerAsync(() => StartSource(Blocks, System.Net.IPEndPoint.Parse(old.Source.Address).Port));
        var ticket = await pair.Owner.ParkAsync(4);
        Assert.Equal(old.Source.Address, ticket.Source.Address);
        Assert.Equal(old.Source.Region, ticket.Source.Region);
        await FailAsync(pair, old, KvTransferException.PeerGone);
        await FreeAsync(pair, ticket);
        await pair.AssertRestoredAsync(); // nor has the old ticket left anything at the new source

        ticket = await pair.Owner.ParkAsync(4);
        Assert.Equal($"{4 * BlockBytes}", await PullAsync(pair, ticket));
    }

    [Fact]
    public async Task A_block_corrupted_in_the_memory_of_the_source_is_found()
    {
        await using var pair = await StartAsync();
        var ticket = await pair.Owner.ParkAsync(Blocks);
        Assert.Equal("ok", await pair.Owner.AskAsync("corrupt 33"));
        await FailAsync(pair, ticket, KvTransferException.Corrupt);
        await FreeAsync(pair, ticket);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_lease_freed_in_mid_read_ends_the_read_and_the_blocks_go_back()
    {
        await using var pair = await StartAsync();
        var ticket = await BeginAsync(pair);
        await FreeAsync(pair, ticket);
        Assert.Equal(KvTransferException.LeaseExpired, await pair.User.ReadAsync());
        await UntilAsync(async () => await pair.Owner.AskNumberAsync("released") == ReleasedAll);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task Memory_withdrawn_in_mid_read_is_a_gone_peer_and_the_source_lives()
    {
        await using var pair = await StartAsync();
        var ticket = await BeginAsync(pair);
        Assert.Equal("ok", await pair.Owner.AskAsync("withdraw")); // waits for the pins of the read
        Assert.Contains(await pair.User.ReadAsync(), new[] { KvTransferException.PeerGone, KvTransferException.LeaseExpired });
        await FailAsync(pair, ticket, KvTransferException.PeerGone);
        Assert.Equal(ReleasedAll, await pair.Owner.AskNumberAsync("released"));
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task Ten_thousand_concurrent_small_reads_all_arrive()
    {
        const int Reads = 10_240, SmallBytes = 64, SmallBlocks = Reads * SmallBytes / BlockBytes; // they cover the memory
        await using var pair = await StartAsync(SmallBlocks);
        var ticket = await pair.Owner.ParkAsync(SmallBlocks);
        Assert.Equal($"{Reads * SmallBytes}", await pair.User.AskAsync($"small {Reads} {PeerProcess.Text(ticket)}"));
        Assert.Equal(await pair.Owner.AskAsync("digest"), await pair.User.AskAsync("digest"));
        await FreeAsync(pair, ticket);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task Ranges_outside_of_the_memory_of_the_source_are_refused_and_both_live()
    {
        const ulong End = Blocks * BlockBytes;
        await using var pair = await StartAsync();
        var ticket = await pair.Owner.ParkAsync(Blocks);
        foreach (var (offset, length) in new (ulong, ulong)[] { (End, 1), (End - 1, 2), (End + BlockBytes, 8), (1ul << 40, 8), (ulong.MaxValue - 7, 8), (ulong.MaxValue, 1) })
            Assert.Equal("OutOfRange", await pair.User.AskAsync($"range {offset} {length} {PeerProcess.Text(ticket)}"));
        Assert.Equal("8", await pair.User.AskAsync($"range {End - 8} 8 {PeerProcess.Text(ticket)}"));
        await FreeAsync(pair, ticket);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task Open_connections_without_work_use_no_processor()
    {
        await using var pair = await StartAsync();
        var ticket = await pair.Owner.ParkAsync(4);
        await PullAsync(pair, ticket);
        await pair.AssertIdleAsync();
        Assert.Equal($"{4 * BlockBytes}", await PullAsync(pair, ticket));
    }
}
