using System.Diagnostics;
using System.IO.Hashing;
using NanoAspire.Native.Rdma;
using NanoAspire.Protocol.Wire;
using NanoAspire.TransferPeer;

namespace NanoAspire.Engine.Transfer.Tests;

public sealed class HandoffTableTests
{
    private static readonly HandoffOptions Short = new() { EngineId = "prefill-0", Incarnation = "i1", Lease = TimeSpan.FromSeconds(40), MaxParked = 2 };

    [Fact]
    public async Task A_ticket_says_everything_that_decode_checks()
    {
        await using var rig = new TransferRig(time: new ManualTime());
        using var span = new Activity("prefill").SetIdFormat(ActivityIdFormat.W3C).Start();
        var tokens = TransferRig.Tokens(40);
        var first = new SampledToken(7, -0.5f, [(7, -0.5f), (9, -1.5f)]);
        var ticket = await rig.Table.ParkAsync(rig.Parked([4, 2, 9], 40), tokens, first, "stop", default);

        Assert.Equal(HandoffTicket.CurrentVersion, ticket.Version);
        Assert.InRange(ticket.SeqId, 1, (1L << 53) - 1);
        Assert.Equal(("prefill-0", "i1"), (ticket.EngineId, ticket.Incarnation));
        Assert.Equal((rig.Time.GetUtcNow() + TimeSpan.FromSeconds(60)).ToUnixTimeMilliseconds(), ticket.LeaseExpiresMs);
        Assert.Equal(("d1", 16, 4096L, 40), (ticket.KvDigest, ticket.BlockSize, ticket.BlockBytes, ticket.PromptTokens));
        var prompt = tokens.SelectMany(BitConverter.GetBytes).ToArray();
        Assert.Equal(Convert.ToHexStringLower(XxHash64.Hash(prompt)), ticket.PromptHash);
        Assert.Null(ticket.ImagesDigest);
        Assert.Equal([4, 2, 9], ticket.Blocks);
        Assert.Equal(ticket.Blocks.Select(b => XxHash64.HashToUInt64(rig.From.Block(b))), ticket.Checksums);
        Assert.Equal(("loopback", 32 * 4096L), (ticket.Source.Transport, ticket.Source.Length));
        Assert.Equal((7, -0.5f), (ticket.FirstToken.Id, ticket.FirstToken.Logprob!.Value));
        Assert.Equal([new(7, -0.5f), new(9, -1.5f)], ticket.FirstToken.TopLogprobs!);
        Assert.Equal("stop", ticket.FirstFinishReason);
        Assert.Equal(span.Id, ticket.TraceParent);
        var travelled = MigrationText.Decode(MigrationText.Encode([ticket]))[0];
        Assert.Equal(ticket.Checksums, travelled.Checksums);
        Assert.Equal(ticket.Source, travelled.Source);
    }

    [Fact]
    public async Task Free_releases_once_and_names_what_it_does_not_know()
    {
        await using var rig = new TransferRig();
        var (a, b) = ((await rig.ParkAsync(0, 1)).SeqId, (await rig.ParkAsync(1, 2)).SeqId);
        Assert.NotEqual(a, b);
        Assert.Equal(2, rig.Table.ParkedCount);
        var freed = rig.Table.Free([a, 77, a]);
        Assert.Equal([a], freed.Freed);
        Assert.Equal([77, a], freed.Unknown);
        Assert.Equal(1, rig.Released);
        Assert.Equal([b], rig.Table.Free([a, b]).Freed);
        Assert.Equal(2, rig.Released);
        Assert.Equal(0, rig.Table.ParkedCount);
        Assert.Equal(0, rig.Table.ExpiredCount);
    }

    [Fact]
    public async Task A_lease_that_nobody_frees_expires()
    {
        var time = new ManualTime();
        await using var rig = new TransferRig(time: time, options: Short);
        var ticket = await rig.ParkAsync(0, 1);
        time.Advance(TimeSpan.FromSeconds(39));
        Assert.Equal((1, 0), (rig.Table.ParkedCount, rig.Released));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((0, 1), (rig.Table.ParkedCount, rig.Released));
        Assert.Equal(1, rig.Table.ExpiredCount);
        Assert.Equal([ticket.SeqId], rig.Table.Free([ticket.SeqId]).Unknown);
        Assert.Equal(1, rig.Released);
    }

    [Fact]
    public async Task Parked_sequences_are_bounded_and_the_refused_one_is_released()
    {
        await using var rig = new TransferRig(options: Short);
        var first = await rig.ParkAsync(0);
        await rig.ParkAsync(1);
        var error = await Assert.ThrowsAsync<KvTransferException>(() => rig.ParkAsync(2));
        Assert.Equal(KvTransferException.HandoffFull, error.Code);
        Assert.Equal((2, 1), (rig.Table.ParkedCount, rig.Released));
        rig.Table.Free([first.SeqId]);
        await rig.ParkAsync(2);
    }

    [Fact]
    public async Task A_client_that_left_while_its_blocks_were_checksummed_frees_them()
    {
        await using var rig = new TransferRig();
        var tokens = TransferRig.Tokens(16);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            rig.Table.ParkAsync(rig.Parked([0], 16), tokens, new SampledToken(1), null, new CancellationToken(canceled: true)));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => rig.Table.ParkAsync(rig.Parked([0], 15), tokens, new SampledToken(1), null, default));
        Assert.Equal((0, 2), (rig.Table.ParkedCount, rig.Released));
    }

    [Theory, InlineData("loopback"), InlineData("tcp"), InlineData("shm"), InlineData("auto")]
    public async Task Only_the_blocks_of_a_live_lease_can_be_read(string transport)
    {
        await using var rig = new TransferRig(transport);
        var ticket = await rig.ParkAsync(3, 4);
        var other = await rig.ParkAsync(9);
        Task<long> ReadAsync(long lease, params int[] blocks) =>
            rig.Decode.ReadAsync(ticket.Source, lease, [.. blocks.Select(static (b, i) => new BlockCopy(b, i))], rig.To, default);

        Assert.Equal(8192, await ReadAsync(ticket.SeqId, 4, 3));
        Assert.Equal(rig.From.Block(4), rig.To.Block(0));
        Assert.Equal(rig.From.Block(3), rig.To.Block(1));
        Assert.Equal(TransferCode.TokenRefused, (await Assert.ThrowsAsync<TransferException>(() => ReadAsync(ticket.SeqId, 3, 5))).Code);
        Assert.Equal(TransferCode.TokenRefused, (await Assert.ThrowsAsync<TransferException>(() => ReadAsync(other.SeqId, 3))).Code);
        Assert.Equal(TransferCode.TokenRefused, (await Assert.ThrowsAsync<TransferException>(() => ReadAsync(0, 3))).Code);
        Assert.Equal(TransferCode.TokenRefused, (await Assert.ThrowsAsync<TransferException>(() => ReadAsync(-1, 3))).Code);
        Assert.Equal(TransferCode.OutOfRange, (await Assert.ThrowsAsync<TransferException>(() => ReadAsync(ticket.SeqId, 32))).Code);
        Assert.Equal(TransferCode.OutOfRange, (await Assert.ThrowsAsync<TransferException>(() => ReadAsync(ticket.SeqId, -1))).Code);
        rig.Table.Free([ticket.SeqId]);
        Assert.Equal(TransferCode.TokenRefused, (await Assert.ThrowsAsync<TransferException>(() => ReadAsync(ticket.SeqId, 3))).Code);
    }

    [Fact]
    public async Task Blocks_go_back_only_after_the_read_in_flight_has_ended()
    {
        await using var rig = new TransferRig();
        var ticket = await rig.ParkAsync(0, 1);
        IReadGuard guard = rig.Table;
        SourceRange[] ranges = [new(100, 5000)];
        using (var outer = guard.TryPin((ulong)ticket.SeqId, ranges)!)
        {
            using (var inner = guard.TryPin((ulong)ticket.SeqId, ranges)!)
            {
                Assert.Equal([ticket.SeqId], rig.Table.Free([ticket.SeqId]).Freed);
                Assert.Null(guard.TryPin((ulong)ticket.SeqId, ranges));
                Assert.Equal(0, rig.Released);
            }
            Assert.Equal(0, rig.Released);
        }
        Assert.Equal(1, rig.Released);
    }

    [Fact]
    public async Task Reads_keep_a_lease_alive_but_not_for_ever()
    {
        var time = new ManualTime();
        await using var rig = new TransferRig(time: time, options: Short);
        var ticket = await rig.ParkAsync(0);
        IReadGuard guard = rig.Table;
        var granted = 0;
        while (guard.TryPin((ulong)ticket.SeqId, [new SourceRange(0, 8)]) is { } pin)
        {
            pin.Dispose();
            granted++;
            time.Advance(TimeSpan.FromSeconds(5));
        }
        Assert.Equal(16, granted); // 80 s: one lease of 40 s, and at most as long again
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, rig.Released);
    }

    [Fact]
    public async Task Disposing_releases_everything_and_parks_nothing_more()
    {
        var rig = new TransferRig();
        var ticket = await rig.ParkAsync(0, 1);
        await rig.ParkAsync(2);
        await rig.Table.DisposeAsync();
        Assert.Equal(2, rig.Released);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => rig.ParkAsync(3));
        Assert.Equal(3, rig.Released);
        var error = await Assert.ThrowsAsync<TransferException>(() => rig.Decode.ReadAsync(ticket.Source, ticket.SeqId, [new(0, 0)], rig.To, default));
        Assert.Equal(TransferCode.StaleRegion, error.Code);
        await rig.DisposeAsync();
    }

    [Fact]
    public async Task Disposing_waits_for_the_checksums_that_read_the_memory()
    {
        await using var rig = new TransferRig(blocks: 16_384);
        var tokens = TransferRig.Tokens(16_384 * 16);
        var parking = rig.Table.ParkAsync(rig.Parked([.. Enumerable.Range(0, 16_384)], tokens.Length), tokens, new SampledToken(1), null, default);
        await rig.Table.DisposeAsync();
        Assert.True(parking.IsCompleted);
        await Record.ExceptionAsync(() => parking);
        Assert.Equal((0, 1), (rig.Table.ParkedCount, rig.Released));
    }

    [Theory, InlineData("pigeon", "unknown transport")]
    public void A_transport_that_we_do_not_have_is_a_clear_error(string name, string says) =>
        Assert.Contains(says, Assert.Throws<ArgumentException>(() => TransferRig.Create(name)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task One_memory_is_exported_once()
    {
        await using var rig = new TransferRig();
        using var memory = new PatternMemory(1);
        rig.Prefill.Export(memory, rig.Table);
        Assert.Throws<InvalidOperationException>(() => rig.Prefill.Export(memory, rig.Table));
        await rig.Prefill.WithdrawAsync(memory, default);
        rig.Prefill.Export(memory, rig.Table);
    }
}
