using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using NanoAspire.Native.Rdma;
using NanoAspire.Protocol.Wire;
using NanoAspire.TransferPeer;

namespace NanoAspire.Engine.Transfer.Tests;

public sealed class KvPullerTests
{
    [Theory, InlineData("loopback"), InlineData("tcp"), InlineData("shm"), InlineData("auto")]
    public async Task Blocks_arrive_in_order_and_no_other_is_touched(string transport)
    {
        await using var rig = new TransferRig(transport, pull: new() { SegmentBytes = 8192 });
        var ticket = await rig.ParkAsync(7, 8, 9, 3, 1);
        var result = await rig.PullAsync(ticket, local: [10, 11, 20, 21, 22, 30]);
        Assert.Equal(new KvPullResult(Blocks: 5, Bytes: 5 * 4096, Retries: 0), result);
        foreach (var (from, to) in (ReadOnlySpan<(int, int)>)[(7, 10), (8, 11), (9, 20), (3, 21), (1, 22)])
            Assert.Equal(rig.From.Block(from), rig.To.Block(to));
        foreach (var other in Enumerable.Range(0, 32).Except([10, 11, 20, 21, 22]))
            Assert.False(rig.To.Block(other).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task What_checksums_cost_is_measured_on_both_sides()
    {
        var sides = new ConcurrentDictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "nanoaspire.kv.checksum.duration") listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => sides[(string)tags[0].Value!] = seconds);
        listener.Start();
        await using var rig = new TransferRig();
        await rig.PullAsync(await rig.ParkAsync(7, 8), local: [10, 11]);
        Assert.Equal(["reader", "source"], sides.Keys.Order());
        Assert.All(sides.Values, seconds => Assert.InRange(seconds, 0, 60));
    }

    [Fact]
    public async Task Cached_blocks_are_neither_read_nor_written()
    {
        FaultyTransport spy = null!;
        await using var rig = new TransferRig(decodeTransport: t => spy = new(t, static (_, _, _) => { }));
        var ticket = await rig.ParkAsync(5, 6, 7);
        Assert.Equal(4096, (await rig.PullAsync(ticket, [0, 1, 2], cached: 2)).Bytes);
        Assert.Equal([7], Assert.Single(spy.Reads));
        Assert.False(rig.To.Block(0).ContainsAnyExcept((byte)0));
        Assert.Equal(0, (await rig.PullAsync(ticket, [0, 1, 2], cached: 3)).Bytes);
        Assert.Single(spy.Reads);
    }

    [Fact]
    public async Task A_recurrent_state_is_pulled_even_when_every_block_of_the_prompt_is_cached()
    {
        FaultyTransport spy = null!;
        await using var rig = new TransferRig(decodeTransport: t => spy = new(t, static (_, _, _) => { }), stateBlocks: 2);
        var ticket = await rig.ParkAsync(5, 6, 30, 31);
        Assert.Equal((29, 4), (ticket.PromptTokens, ticket.Blocks.Length));
        var result = await rig.PullAsync(ticket, [1, 2, 20, 21], cached: 2);
        Assert.Equal((2, 2 * rig.To.Layout.BlockBytes), (result.Blocks, result.Bytes));
        Assert.Equal([30, 31], Assert.Single(spy.Reads));
        foreach (var (from, to) in ((int, int)[])[(30, 20), (31, 21)]) Assert.Equal(rig.From.Block(from), rig.To.Block(to));

        var without = ticket with { Blocks = ticket.Blocks[..2], Checksums = ticket.Checksums[..2] };
        Assert.Equal(KvTransferException.IncompatibleLayout, await rig.FailAsync(without, 1, 2, 20, 21));
    }

    public static TheoryData<string, Func<HandoffTicket, HandoffTicket>> Mismatches => new()
    {
        { "digest", static t => t with { KvDigest = "d2" } },
        { "version", static t => t with { Version = 2 } },
        { "block size", static t => t with { BlockSize = 32 } },
        { "block bytes", static t => t with { BlockBytes = 8192 } },
        { "prompt length", static t => t with { PromptTokens = t.PromptTokens + 1 } },
        { "prompt", static t => t with { PromptHash = "0123456789abcdef" } },
        { "images where decode has none", static t => t with { ImagesDigest = new('a', 64) } },
        { "fewer blocks", static t => t with { Blocks = t.Blocks[..^1], Checksums = t.Checksums[..^1] } },
        { "more blocks", static t => t with { Blocks = [.. t.Blocks, 0], Checksums = [.. t.Checksums, 0] } },
        { "checksums", static t => t with { Checksums = t.Checksums[..^1] } },
        { "block beyond the source", static t => t with { Blocks = [t.Blocks[0], 32] } },
        { "negative block", static t => t with { Blocks = [t.Blocks[0], -1] } },
        { "transport", static t => t with { Source = t.Source with { Transport = "pigeon" } } },
    };

    [Theory, MemberData(nameof(Mismatches))]
    public async Task A_ticket_that_does_not_fit_is_refused_before_the_first_read(string what, Func<HandoffTicket, HandoffTicket> change)
    {
        FaultyTransport spy = null!;
        await using var rig = new TransferRig(decodeTransport: t => spy = new(t, static (_, _, _) => { }));
        var ticket = await rig.ParkAsync(5, 6);
        var tokens = TransferRig.Tokens(ticket.PromptTokens);
        using var reservation = new KvReservation([0, 1, 2], 0, static () => { });
        var error = await Assert.ThrowsAsync<KvTransferException>(() => rig.Puller.PullAsync(change(ticket), tokens, reservation, rig.To, default));
        Assert.True(error.Code == KvTransferException.IncompatibleLayout, what);
        Assert.Empty(spy.Reads);
        await rig.Puller.PullAsync(ticket, tokens, reservation, rig.To, default);
    }

    [Theory]
    [InlineData("aa", "bb", "prefill and decode saw different images")]
    [InlineData("aa", null, "prefill saw images, decode text alone")]
    [InlineData(null, "aa", "prefill saw text alone, decode images")]
    public async Task Tokens_that_stand_for_other_images_are_refused_before_the_first_read(string? prefill, string? decode, string difference)
    {
        FaultyTransport spy = null!;
        await using var rig = new TransferRig(decodeTransport: t => spy = new(t, static (_, _, _) => { }));
        var tokens = TransferRig.Tokens(29);
        var parked = new ParkedKv([5, 6], tokens.Length, static () => { }) { ImagesDigest = prefill };
        var ticket = MigrationText.Decode(MigrationText.Encode([await rig.Table.ParkAsync(parked, tokens, new SampledToken(5), firstFinishReason: null, default)]))[0];
        using var other = new KvReservation([0, 1], 0, static () => { }) { ImagesDigest = decode };
        var error = await Assert.ThrowsAsync<KvTransferException>(() => rig.Puller.PullAsync(ticket, tokens, other, rig.To, default));
        Assert.Equal((KvTransferException.IncompatibleLayout, difference), (error.Code, error.Message));
        Assert.Empty(spy.Reads);
        using var same = new KvReservation([0, 1], 0, static () => { }) { ImagesDigest = prefill };
        Assert.Equal(2, (await rig.Puller.PullAsync(ticket, tokens, same, rig.To, default)).Blocks);
    }

    [Theory, InlineData(32, 4096), InlineData(16, 8192)]
    public async Task A_decode_engine_with_other_blocks_refuses(int blockSize, int blockBytes)
    {
        await using var rig = new TransferRig();
        using var other = new PatternMemory(8, blockBytes, blockSize);
        var ticket = await rig.ParkAsync(5, 6);
        using var reservation = new KvReservation([0, 1], 0, static () => { });
        var error = await Assert.ThrowsAsync<KvTransferException>(() => rig.Puller.PullAsync(ticket, TransferRig.Tokens(29), reservation, other, default));
        Assert.Equal(KvTransferException.IncompatibleLayout, error.Code);
    }

    [Fact]
    public async Task A_block_changed_at_the_source_after_its_checksum_is_never_accepted()
    {
        FaultyTransport spy = null!;
        await using var rig = new TransferRig(decodeTransport: t => spy = new(t, static (_, _, _) => { }));
        var ticket = await rig.ParkAsync(5, 6, 7);
        rig.From.Block(6)[4095] ^= 0x80;
        Assert.Equal(KvTransferException.Corrupt, await rig.FailAsync(ticket, 0, 1, 2));
        Assert.Equal<int[]>([[5, 6, 7], [6], [6]], spy.Reads);
    }

    [Fact]
    public async Task A_block_damaged_on_the_way_is_read_again_alone()
    {
        FaultyTransport spy = null!;
        await using var rig = new TransferRig(
            pull: new() { SegmentBytes = 8192, RetryDelay = TimeSpan.FromMilliseconds(1) },
            decodeTransport: t => spy = new(t, static (read, blocks, memory) =>
            {
                if (read == 1) memory.Block(blocks[1].Destination)[0] ^= 1;
                if (read == 4) memory.Block(blocks[0].Destination)[4095] ^= 1;
            }));
        var ticket = await rig.ParkAsync(5, 6, 7, 8, 9);
        Assert.Equal(new KvPullResult(5, 7 * 4096, Retries: 2), await rig.PullAsync(ticket, [0, 1, 2, 3, 4]));
        Assert.Equal<int[]>([[5, 6], [7, 8], [9], [6], [6]], spy.Reads);
        for (var i = 0; i < 5; i++) Assert.Equal(rig.From.Block(5 + i), rig.To.Block(i));
    }

    [Fact]
    public async Task A_broken_connection_costs_a_retry_of_what_is_missing()
    {
        FaultyTransport spy = null!;
        await using var rig = new TransferRig(
            pull: new() { SegmentBytes = 8192, RetryDelay = TimeSpan.FromMilliseconds(1) },
            decodeTransport: t => spy = new(t, static (read, _, _) =>
            {
                if (read == 2) throw new TransferException(TransferCode.PeerLost, "broke");
            }));
        var ticket = await rig.ParkAsync(5, 6, 7, 8);
        Assert.Equal(1, (await rig.PullAsync(ticket, [0, 1, 2, 3])).Retries);
        Assert.Equal<int[]>([[5, 6], [7, 8], [7, 8]], spy.Reads);
    }

    [Theory]
    [InlineData(TransferCode.PeerLost, KvTransferException.PeerGone, 3)]
    [InlineData(TransferCode.Timeout, KvTransferException.PeerGone, 3)]
    [InlineData(TransferCode.Protocol, KvTransferException.Failed, 3)]
    [InlineData(TransferCode.Busy, KvTransferException.Failed, 3)]
    [InlineData(TransferCode.StaleRegion, KvTransferException.PeerGone, 1)]
    [InlineData(TransferCode.TokenRefused, KvTransferException.LeaseExpired, 1)]
    [InlineData(TransferCode.OutOfRange, KvTransferException.Failed, 1)]
    public async Task Every_failure_has_its_code_and_only_the_passing_ones_are_retried(TransferCode transfer, string code, int attempts)
    {
        FaultyTransport spy = null!;
        await using var rig = new TransferRig(decodeTransport: t => spy = new(t, (_, _, _) => throw new TransferException(transfer, "made up")));
        var ticket = await rig.ParkAsync(5);
        Assert.Equal(code, await rig.FailAsync(ticket, 0));
        Assert.Equal(attempts, spy.Reads.Count);
    }

    [Theory, InlineData("loopback"), InlineData("tcp"), InlineData("shm"), InlineData("auto")]
    public async Task A_freed_or_expired_lease_is_its_own_error(string transport)
    {
        var time = new ManualTime();
        await using var rig = new TransferRig(transport, time);
        var freed = await rig.ParkAsync(5);
        var expired = await rig.ParkAsync(6);
        rig.Table.Free([freed.SeqId]);
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(KvTransferException.LeaseExpired, await rig.FailAsync(freed, 0));
        Assert.Equal(KvTransferException.LeaseExpired, await rig.FailAsync(expired, 0));
    }

    [Fact]
    public async Task A_restarted_source_is_a_gone_peer()
    {
        await using var rig = new TransferRig("tcp");
        var ticket = await rig.ParkAsync(5);
        var old = ticket with { Source = ticket.Source with { Incarnation = "00000000deadbeef" } };
        Assert.Equal(KvTransferException.PeerGone, await rig.FailAsync(old, 0));
    }

    [Theory, InlineData("nonsense", "1"), InlineData("0.1", "nonsense")]
    public async Task A_garbled_region_fails_without_a_retry(string region, string incarnation)
    {
        await using var rig = new TransferRig("tcp");
        var ticket = await rig.ParkAsync(5);
        Assert.Equal(KvTransferException.Failed, await rig.FailAsync(ticket with { Source = ticket.Source with { Region = region, Incarnation = incarnation } }, 0));
    }

    [Fact]
    public async Task The_pull_as_a_whole_has_a_deadline()
    {
        var time = new ManualTime();
        SlowTransport slow = null!;
        await using var rig = new TransferRig("tcp", time, prefillTransport: t => slow = new(t, TimeSpan.FromMilliseconds(300)));
        var ticket = await rig.ParkAsync(5, 7, 9, 11, 13, 15, 17, 19);
        var pulling = rig.FailAsync(ticket, 0, 1, 2, 3, 4, 5, 6, 7);
        for (var i = 0; i < 1000 && slow.Requests == 0; i++) await Task.Delay(5);
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(KvTransferException.Timeout, await pulling);
    }

    [Theory, InlineData("loopback"), InlineData("tcp"), InlineData("shm"), InlineData("auto")]
    public async Task A_cancelled_pull_ends_as_cancelled_and_writes_nothing_afterwards(string transport)
    {
        SlowTransport slow = null!;
        await using var rig = new TransferRig(transport, prefillTransport: t => slow = new(t, TimeSpan.FromMilliseconds(50)));
        var ticket = await rig.ParkAsync([.. Enumerable.Range(0, 32)]);
        using var cancel = new CancellationTokenSource();
        var pulling = rig.PullAsync(ticket, [.. Enumerable.Range(0, 32)], cancellationToken: cancel.Token);
        for (var i = 0; i < 1000 && slow.Requests == 0; i++) await Task.Delay(5);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pulling);
        for (var i = 0; i < 32; i++) rig.To.Block(i).Fill(0xCD);
        await Task.Delay(300);
        for (var i = 0; i < 32; i++) Assert.False(rig.To.Block(i).ContainsAnyExcept((byte)0xCD));
        Assert.Equal([ticket.SeqId], rig.Table.Free([ticket.SeqId]).Freed);
        for (var i = 0; i < 1000 && rig.Released == 0; i++) await Task.Delay(5);
        Assert.Equal(1, rig.Released);
    }

    [Fact]
    public async Task One_span_joins_decode_and_prefill()
    {
        List<Activity> spans = [];
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "NanoAspire.Engine",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span => { lock (spans) spans.Add(span); },
        };
        ActivitySource.AddActivityListener(listener);
        await using var rig = new TransferRig();
        HandoffTicket ticket;
        using (new Activity("prefill").SetIdFormat(ActivityIdFormat.W3C).Start()) ticket = await rig.ParkAsync(5, 6);
        using var decode = new Activity("decode").SetIdFormat(ActivityIdFormat.W3C).Start();
        await rig.PullAsync(ticket, [0, 1]);

        var pull = Assert.Single(spans, s => s.OperationName == "kv.pull" && s.ParentSpanId == decode.SpanId);
        Assert.Equal(decode.TraceId, pull.TraceId);
        Assert.Equal(ActivityContext.Parse(ticket.TraceParent!, null).SpanId, Assert.Single(pull.Links).Context.SpanId);
        Assert.Equal(("prefill-0", "loopback", 2, 8192L), (pull.GetTagItem("kv.source"), pull.GetTagItem("kv.transport"), pull.GetTagItem("kv.blocks"), pull.GetTagItem("kv.bytes")));

        rig.Table.Free([ticket.SeqId]);
        await rig.FailAsync(ticket, 0, 1);
        Assert.Single(spans, s => s.ParentSpanId == decode.SpanId && s.Status == ActivityStatusCode.Error && s.StatusDescription == KvTransferException.LeaseExpired);
    }
}
