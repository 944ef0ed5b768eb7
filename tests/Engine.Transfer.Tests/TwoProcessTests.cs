using System.Net.NetworkInformation;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Protocol.Wire;
using NanoAspire.TransferPeer;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>What happens to one side when something happens to the process of the other.</summary>
public sealed class TwoProcessTests : IAsyncDisposable
{
    private const int Blocks = 64;
    private const int BlockBytes = 64 << 10;

    private readonly PatternMemory _memory = new(Blocks, BlockBytes);
    private readonly IKvTransport _transport;
    private readonly KvPuller _puller;

    public TwoProcessTests()
    {
        var tcp = new TcpTransportOptions { FrameBytes = 64 << 10, FrameTimeout = TimeSpan.FromMilliseconds(700) };
        _transport = KvTransports.Create("tcp", tcp, TimeProvider.System, NullLoggerFactory.Instance);
        _puller = new(_transport, new(), TimeProvider.System, NullLogger<KvPuller>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _transport.DisposeAsync();
        _memory.Dispose();
    }

    private async Task<KvPullResult> PullAsync(HandoffTicket ticket)
    {
        using var reservation = new KvReservation([.. Enumerable.Range(0, ticket.Blocks.Length)], 0, static () => { });
        var tokens = Enumerable.Range(0, ticket.PromptTokens).ToArray();
        return await _puller.PullAsync(ticket, tokens, reservation, _memory, default).WaitAsync(TimeSpan.FromSeconds(60));
    }

    private async Task<string> FailAsync(HandoffTicket ticket) => (await Assert.ThrowsAsync<KvTransferException>(() => PullAsync(ticket))).Code;

    private async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 2000 && !await condition(); i++) await Task.Delay(5);
        Assert.True(await condition());
    }

    /// <summary>Something has arrived, and more is to come.</summary>
    private Task UntilInMidReadAsync() => UntilAsync(() => Task.FromResult(
        Enumerable.Range(0, Blocks).Count(b => _memory.Block(b).ContainsAnyExcept((byte)0)) is > 2 and < Blocks / 2));

    private void AssertQuiet()
    {
        for (var i = 0; i < Blocks; i++) Assert.False(_memory.Block(i).ContainsAnyExcept((byte)0x77));
    }

    [Fact]
    public async Task Blocks_cross_processes_whole()
    {
        await using var source = PeerProcess.Source("tcp", Blocks, BlockBytes);
        var ticket = await source.ParkAsync(Blocks);
        Assert.Equal(Blocks * (long)BlockBytes, (await PullAsync(ticket)).Bytes);
        using var expected = new PatternMemory(Blocks, BlockBytes, seed: 1);
        for (var i = 0; i < Blocks; i++) Assert.Equal(expected.Block(i), _memory.Block(i));
        Assert.Equal(1, await source.AskNumberAsync($"free {ticket.SeqId}"));
        Assert.Equal(1, await source.AskNumberAsync("released"));
        Assert.Equal(KvTransferException.LeaseExpired, await FailAsync(ticket));
        Assert.Equal(0, await source.AskNumberAsync($"free {ticket.SeqId}"));
    }

    [Fact]
    public async Task A_source_killed_in_mid_read_is_a_gone_peer()
    {
        await using var source = PeerProcess.Source("tcp", Blocks, BlockBytes, delayMs: 40);
        var pulling = FailAsync(await source.ParkAsync(Blocks));
        await UntilInMidReadAsync();
        source.Signal(PeerProcess.Kill);
        Assert.Equal(KvTransferException.PeerGone, await pulling);
        for (var i = 0; i < Blocks; i++) _memory.Block(i).Fill(0x77);
        await Task.Delay(200);
        AssertQuiet();
    }

    [Fact]
    public async Task A_source_stopped_for_longer_than_the_deadline_is_a_gone_peer_and_cannot_write_when_it_wakes()
    {
        await using var source = PeerProcess.Source("tcp", Blocks, BlockBytes, delayMs: 40);
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

    [Fact]
    public async Task A_source_stopped_for_a_moment_costs_a_retry_only()
    {
        await using var source = PeerProcess.Source("tcp", Blocks, BlockBytes, delayMs: 40);
        var pulling = PullAsync(await source.ParkAsync(Blocks));
        await UntilInMidReadAsync();
        source.Signal(PeerProcess.Stop);
        await Task.Delay(900);
        source.Signal(PeerProcess.Continue);
        Assert.InRange((await pulling).Retries, 1, 2);
    }

    [Fact]
    public async Task A_reader_killed_in_mid_read_leaves_no_pin_and_no_handle()
    {
        using var memory = new PatternMemory(Blocks, BlockBytes, seed: 1);
        await using var transport = new SlowTransport(
            KvTransports.Create("tcp", new() { FrameBytes = 64 << 10 }, TimeProvider.System, NullLoggerFactory.Instance), TimeSpan.FromMilliseconds(40));
        await using var table = new HandoffTable(
            transport, memory, new() { EngineId = "p", Incarnation = "i" }, TimeProvider.System, NullLogger<HandoffTable>.Instance);
        var released = 0;
        var tokens = Enumerable.Range(0, Blocks * 16).ToArray();
        var parked = new ParkedKv([.. Enumerable.Range(0, Blocks)], tokens.Length, () => Interlocked.Increment(ref released));
        var ticket = await table.ParkAsync(parked, tokens, new SampledToken(1), null, default);
        var address = ticket.Source.Address;

        await using (var reader = new PeerProcess("reader", "tcp", Blocks, BlockBytes))
        {
            await reader.WriteAsync(MigrationText.Encode([ticket]));
            await UntilAsync(() => Task.FromResult(transport.Requests >= 4));
            Assert.NotEqual(0, Sockets(address));
            await reader.KillAsync();
        }
        Assert.InRange(transport.Requests, 4, Blocks - 1);
        await UntilAsync(() => Task.FromResult(Sockets(address) == 0));
        Assert.Equal([ticket.SeqId], table.Free([ticket.SeqId]).Freed);
        await UntilAsync(() => Task.FromResult(Volatile.Read(ref released) == 1));
    }

    [Fact]
    public async Task A_source_restarted_on_the_same_port_never_serves_the_old_ticket()
    {
        HandoffTicket old;
        int port;
        await using (var source = PeerProcess.Source("tcp", Blocks, BlockBytes))
        {
            old = await source.ParkAsync(4);
            port = System.Net.IPEndPoint.Parse(old.Source.Address).Port;
            await PullAsync(old); // connections to the first process are in the pool
            await source.KillAsync();
        }
        Assert.Equal(KvTransferException.PeerGone, await FailAsync(old));
        await using var restarted = PeerProcess.Source("tcp", Blocks, BlockBytes, port: port);
        var ticket = await restarted.ParkAsync(4);
        Assert.Equal(old.Source.Address, ticket.Source.Address);
        Assert.Equal(old.Source.Region, ticket.Source.Region);
        Assert.Equal(KvTransferException.PeerGone, await FailAsync(old));
        Assert.Equal(4L * BlockBytes, (await PullAsync(ticket)).Bytes);
    }

    [Fact]
    public async Task A_block_corrupted_in_the_memory_of_the_source_is_found()
    {
        await using var source = PeerProcess.Source("tcp", Blocks, BlockBytes);
        var ticket = await source.ParkAsync(Blocks);
        Assert.Equal("ok", await source.AskAsync("corrupt 33"));
        Assert.Equal(KvTransferException.Corrupt, await FailAsync(ticket));
    }

    [Fact]
    public async Task A_lease_freed_in_mid_read_ends_the_read_and_the_blocks_go_back()
    {
        await using var source = PeerProcess.Source("tcp", Blocks, BlockBytes, delayMs: 40);
        var ticket = await source.ParkAsync(Blocks);
        var pulling = FailAsync(ticket);
        await UntilInMidReadAsync();
        Assert.Equal(1, await source.AskNumberAsync($"free {ticket.SeqId}"));
        Assert.Equal(KvTransferException.LeaseExpired, await pulling);
        await UntilAsync(async () => await source.AskNumberAsync("released") == 1);
    }

    /// <summary>Established connections of this process to its own listener at <paramref name="address"/>.</summary>
    private static int Sockets(string address)
    {
        var port = System.Net.IPEndPoint.Parse(address).Port;
        return IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
            .Count(c => c.LocalEndPoint.Port == port && c.State is TcpState.Established or TcpState.CloseWait);
    }
}
