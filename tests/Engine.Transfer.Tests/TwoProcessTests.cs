using System.Net.NetworkInformation;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Protocol.Wire;
using NanoAspire.Tests;
using NanoAspire.TransferPeer;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>What happens to one side when something happens to the process of the other.</summary>
public sealed class TwoProcessTests : IAsyncDisposable
{
    private const int Blocks = 64;
    private const int BlockBytes = 64 << 10;

    /// <summary>UCX only where it is installed; the contract of the transports says so visibly.</summary>
    public static TheoryData<string> Transports => Needs.Ucx ? ["tcp", "shm", Ucx] : ["tcp", "shm"];

    private static TheoryDataRow<string> Ucx => new TheoryDataRow<string>("ucx").WithTrait("needs", "ucx");

    private readonly PatternMemory _memory = new(Blocks, BlockBytes);
    private IKvTransport? _transport;
    private KvPuller _puller = null!;

    /// <summary>Makes the reader of the test, and starts its source.</summary>
    private PeerProcess Source(string transport, int delayMs = 0, int port = 0)
    {
        if (_transport is null)
        {
            _transport = KvTransports.Create(transport, Tcp, TimeProvider.System, NullLoggerFactory.Instance);
            _puller = new(_transport, new() { Deadline = Slowness.Seconds(10) }, TimeProvider.System, NullLogger<KvPuller>.Instance);
        }
        return new("source", transport, Blocks, BlockBytes, delayMs, port);
    }

    private static TcpTransportOptions Tcp => new() { FrameBytes = 64 << 10, FrameTimeout = Slowness.Milliseconds(1200), ConnectTimeout = Slowness.Seconds(5) };

    /// <summary>Of every request at the source, so that a pull takes a second or two.</summary>
    private static int DelayMs(string transport) => Slowness.Factor * (transport == "tcp" ? 40 : 400);

    /// <summary>Requests that a pull of all blocks takes: one a frame, or one a pin of sixteen.</summary>
    private static int Requests(string transport) => transport == "tcp" ? Blocks : Blocks / 16;

    public async ValueTask DisposeAsync()
    {
        if (_transport is not null) await _transport.DisposeAsync();
        _memory.Dispose();
    }

    private async Task<KvPullResult> PullAsync(HandoffTicket ticket)
    {
        using var reservation = new KvReservation([.. Enumerable.Range(0, ticket.Blocks.Length)], 0, static () => { });
        var tokens = Enumerable.Range(0, ticket.PromptTokens).ToArray();
        return await _puller.PullAsync(ticket, tokens, reservation, _memory, default).WaitAsync(Slowness.Seconds(60));
    }

    private async Task<string> FailAsync(HandoffTicket ticket) => (await Assert.ThrowsAsync<KvTransferException>(() => PullAsync(ticket))).Code;

    private async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 2000 * Slowness.Factor && !await condition(); i++) await Task.Delay(5);
        Assert.True(await condition());
    }

    /// <summary>Something has arrived, and more is to come.</summary>
    private Task UntilInMidReadAsync() => UntilAsync(() => Task.FromResult(
        Enumerable.Range(0, Blocks).Count(b => _memory.Block(b).ContainsAnyExcept((byte)0)) is > 2 and < Blocks / 2));

    private void AssertQuiet()
    {
        for (var i = 0; i < Blocks; i++) Assert.False(_memory.Block(i).ContainsAnyExcept((byte)0x77));
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Blocks_cross_processes_whole(string transport)
    {
        await using var source = Source(transport);
        var ticket = await source.ParkAsync(Blocks);
        Assert.Equal(Blocks * (long)BlockBytes, (await PullAsync(ticket)).Bytes);
        using var expected = new PatternMemory(Blocks, BlockBytes, seed: 1);
        for (var i = 0; i < Blocks; i++) Assert.Equal(expected.Block(i), _memory.Block(i));
        Assert.Equal(transport, _transport!.PathTo(ticket.Source));
        Assert.Equal(1, await source.AskNumberAsync($"free {ticket.SeqId}"));
        Assert.Equal(1, await source.AskNumberAsync("released"));
        Assert.Equal(KvTransferException.LeaseExpired, await FailAsync(ticket));
        Assert.Equal(0, await source.AskNumberAsync($"free {ticket.SeqId}"));
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_source_killed_in_mid_read_is_a_gone_peer(string transport)
    {
        await using var source = Source(transport, delayMs: DelayMs(transport));
        var ticket = await source.ParkAsync(Blocks);
        var arena = transport == "shm" ? source.ArenaName() : null;
        var pulling = FailAsync(ticket);
        await UntilInMidReadAsync();
        source.Signal(PeerProcess.Kill);
        Assert.Equal(KvTransferException.PeerGone, await pulling);
        for (var i = 0; i < Blocks; i++) _memory.Block(i).Fill(0x77);
        await Task.Delay(200);
        AssertQuiet();
        // We must not be what keeps the memory of the dead.
        if (arena is not null) Assert.DoesNotContain(File.ReadLines("/proc/self/maps"), line => line.Contains(arena, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_source_stopped_for_longer_than_the_deadline_is_a_gone_peer_and_cannot_write_when_it_wakes(string transport)
    {
        await using var source = Source(transport, delayMs: DelayMs(transport));
        var ticket = await source.ParkAsync(Blocks);
        var pulling = FailAsync(ticket);
        await UntilInMidReadAsync();
        source.Signal(PeerProcess.Stop);
        Assert.Equal(KvTransferException.PeerGone, await pulling);
        for (var i = 0; i < Blocks; i++) _memory.Block(i).Fill(0x77);
        source.Signal(PeerProcess.Continue);
        await Task.Delay(500);
        AssertQuiet();

        Assert.Equal(Blocks * (long)BlockBytes, (await PullAsync(ticket)).Bytes); // awake again, and the lease still runs
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_source_stopped_for_a_moment_costs_a_retry_only(string transport)
    {
        await using var source = Source(transport, delayMs: DelayMs(transport));
        var pulling = PullAsync(await source.ParkAsync(Blocks));
        await UntilInMidReadAsync();
        source.Signal(PeerProcess.Stop);
        await Task.Delay(Slowness.Milliseconds(1500));
        source.Signal(PeerProcess.Continue);
        Assert.InRange((await pulling).Retries, 1, 2);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_reader_killed_in_mid_read_leaves_no_pin_and_no_handle(string transport)
    {
        using var memory = new PatternMemory(Blocks, BlockBytes, seed: 1, ucx: transport == "ucx");
        await using var slow = new SlowTransport(
            KvTransports.Create(transport, Tcp, TimeProvider.System, NullLoggerFactory.Instance), TimeSpan.FromMilliseconds(DelayMs(transport)));
        await using var table = new HandoffTable(
            slow, memory, new() { EngineId = "p", Incarnation = "i" }, TimeProvider.System, NullLogger<HandoffTable>.Instance);
        var released = 0;
        var tokens = Enumerable.Range(0, Blocks * 16).ToArray();
        var parked = new ParkedKv([.. Enumerable.Range(0, Blocks)], tokens.Length, () => Interlocked.Increment(ref released));
        var ticket = await table.ParkAsync(parked, tokens, new SampledToken(1), null, default);
        var address = ticket.Source.Address;

        await using (var reader = new PeerProcess("reader", transport, Blocks, BlockBytes, Slowness.Milliseconds(5000).TotalMilliseconds))
        {
            await reader.WriteAsync(MigrationText.Encode([ticket]));
            await UntilAsync(() => Task.FromResult(slow.Requests >= Requests(transport) / 4));
            Assert.NotEqual(0, Sockets(address));
            await reader.KillAsync();
        }
        Assert.InRange(slow.Requests, 1, Requests(transport) - 1);
        await UntilAsync(() => Task.FromResult(Sockets(address) == 0));
        Assert.Equal([ticket.SeqId], table.Free([ticket.SeqId]).Freed);
        await UntilAsync(() => Task.FromResult(Volatile.Read(ref released) == 1));
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_source_restarted_on_the_same_port_never_serves_the_old_ticket(string transport)
    {
        HandoffTicket old;
        int port;
        await using (var source = Source(transport))
        {
            old = await source.ParkAsync(4);
            port = System.Net.IPEndPoint.Parse(old.Source.Address).Port;
            await PullAsync(old); // connections to the first process are in the pool
            await source.KillAsync();
        }
        Assert.Equal(KvTransferException.PeerGone, await FailAsync(old));
        await using var restarted = Source(transport, port: port);
        var ticket = await restarted.ParkAsync(4);
        Assert.Equal(old.Source.Address, ticket.Source.Address);
        Assert.Equal(old.Source.Region, ticket.Source.Region);
        Assert.Equal(KvTransferException.PeerGone, await FailAsync(old));
        Assert.Equal(4L * BlockBytes, (await PullAsync(ticket)).Bytes);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_block_corrupted_in_the_memory_of_the_source_is_found(string transport)
    {
        await using var source = Source(transport);
        var ticket = await source.ParkAsync(Blocks);
        Assert.Equal("ok", await source.AskAsync("corrupt 33"));
        Assert.Equal(KvTransferException.Corrupt, await FailAsync(ticket));
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_lease_freed_in_mid_read_ends_the_read_and_the_blocks_go_back(string transport)
    {
        await using var source = Source(transport, delayMs: DelayMs(transport));
        var ticket = await source.ParkAsync(Blocks);
        var pulling = FailAsync(ticket);
        await UntilInMidReadAsync();
        Assert.Equal(1, await source.AskNumberAsync($"free {ticket.SeqId}"));
        Assert.Equal(KvTransferException.LeaseExpired, await pulling);
        await UntilAsync(async () => await source.AskNumberAsync("released") == 1);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Memory_withdrawn_in_mid_read_is_a_gone_peer_and_the_source_lives(string transport)
    {
        await using var source = Source(transport, delayMs: DelayMs(transport));
        var ticket = await source.ParkAsync(Blocks);
        var pulling = FailAsync(ticket);
        await UntilInMidReadAsync();
        Assert.Equal("ok", await source.AskAsync("withdraw")); // waits for the pins of the read
        Assert.Contains(await pulling, new[] { KvTransferException.PeerGone, KvTransferException.LeaseExpired });
        Assert.Equal(KvTransferException.PeerGone, await FailAsync(ticket));
        Assert.Equal(1, await source.AskNumberAsync("released"));
    }

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    [Trait("needs", "ucx")]
    public async Task Mistakes_stay_exceptions_after_UCX_was_loaded()
    {
        await using var process = new PeerProcess("survive");
        Assert.Equal("null", await process.ReadAsync());
        Assert.Equal("zero", await process.ReadAsync());
        Assert.Equal(0, await process.ExitCodeAsync());
    }

    /// <summary>Established connections of this process to its own listener at <paramref name="address"/>.</summary>
    private static int Sockets(string address)
    {
        var port = System.Net.IPEndPoint.Parse(address).Port;
        return IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
            .Count(c => c.LocalEndPoint.Port == port && c.State is TcpState.Established or TcpState.CloseWait);
    }
}
