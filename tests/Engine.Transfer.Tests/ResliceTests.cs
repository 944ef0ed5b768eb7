using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>Blocks of one size pulled into blocks of another, judged by where the layouts say that every value lies.</summary>
public sealed class ResliceTests
{
    private const int Prompt = 141;
    private const int Width = 48;

    public static TheoryData<int, int, int, string> Cases => new()
    {
        { 16, 64, 0, "loopback" }, { 64, 16, 0, "loopback" }, { 48, 96, 0, "tcp" }, { 96, 48, 0, "shm" }, { 16, 32, 1, "loopback" },
        { 64, 16, 5, "auto" }, { 128, 16, 0, "tcp" }, { 16, 128, 1, "loopback" }, { 32, 16, 9, "loopback" },
    };

    [Theory, MemberData(nameof(Cases))]
    public async Task Every_value_arrives_where_the_other_layout_has_it(int fromSize, int toSize, int cached, string transport)
    {
        using var from = Memory(fromSize);
        using var to = Memory(toSize);
        Fill(from);
        await using var rig = new Rig(transport, from);
        var ticket = await rig.ParkAsync();
        var blocks = Local(to);
        var result = await rig.PullAsync(ticket, blocks, cached, to);
        Assert.Equal(0, result.Retries);
        Assert.Equal(result.Blocks * from.Layout.BlockBytes, result.Bytes);
        Check(to, blocks, cached);
    }

    [Fact]
    public async Task Only_the_blocks_that_hold_missing_tokens_are_read_and_a_damaged_one_is_read_again()
    {
        using var from = Memory(32);
        using var to = Memory(16);
        Fill(from);
        FaultyTransport spy = null!;
        await using var rig = new Rig("loopback", from, t => spy = new(t, static (read, _, staging) =>
        {
            if (read == 1) staging.Block(0)[77] ^= 1;
        }));
        var ticket = await rig.ParkAsync();
        var result = await rig.PullAsync(ticket, Local(to), cached: 6, to); // 96 of 141 tokens
        Assert.Equal((2 + from.Layout.StateBlocks, 1), (result.Blocks, result.Retries));
        Assert.Equal([ticket.Blocks[3]], spy.Reads[1]);
        Check(to, Local(to), cached: 6);
    }

    [Fact]
    public async Task A_block_that_stays_wrong_is_never_taken_apart()
    {
        using var from = Memory(32);
        using var to = Memory(16);
        Fill(from);
        await using var rig = new Rig("loopback", from);
        var ticket = await rig.ParkAsync();
        ((IKvMemory)from).Block(ticket.Blocks[1])[5] ^= 1;
        var error = await Assert.ThrowsAsync<KvTransferException>(() => rig.PullAsync(ticket, Local(to), cached: 0, to));
        Assert.Equal(KvTransferException.Corrupt, error.Code);
        Assert.False(((IKvMemory)to).Block(Local(to)[2]).ContainsAnyExcept((byte)0));
    }

    public static TheoryData<string, Func<HandoffTicket, HandoffTicket>> Mismatches => new()
    {
        { "tokens a block", static t => t with { BlockSize = 48 } },
        { "tokens a block", static t => t with { BlockSize = 8 } },
        { "tokens a block", static t => t with { BlockSize = int.MaxValue - 15 } },
        { "tokens a block", static t => t with { BlockSize = -32 } },
        { "bytes a block", static t => t with { BlockBytes = t.BlockBytes + 64 } },
        { "blocks", static t => t with { Blocks = t.Blocks[..^1], Checksums = t.Checksums[..^1] } },
        { "blocks", static t => t with { BlockSize = 64 } },
        { "checksums", static t => t with { Checksums = t.Checksums[..^1] } },
        { "differ", static t => t with { KvDigest = "other" } },
    };

    [Theory, MemberData(nameof(Mismatches))]
    public async Task A_ticket_whose_blocks_cannot_be_taken_apart_is_refused_and_says_why(string why, Func<HandoffTicket, HandoffTicket> change)
    {
        using var from = Memory(32);
        using var to = Memory(16);
        FaultyTransport spy = null!;
        await using var rig = new Rig("loopback", from, t => spy = new(t, static (_, _, _) => { }));
        var ticket = await rig.ParkAsync();
        var error = await Assert.ThrowsAsync<KvTransferException>(() => rig.PullAsync(change(ticket), Local(to), cached: 0, to));
        Assert.Equal(KvTransferException.IncompatibleLayout, error.Code);
        Assert.True(error.Message.Contains(why, StringComparison.Ordinal) || why == "blocks" && error.Message.Contains("bytes a block", StringComparison.Ordinal), error.Message);
        Assert.Empty(spy.Reads);
    }

    [Theory, InlineData(16, 16, true), InlineData(16, 32, true), InlineData(48, 96, true), InlineData(16, 48, false), InlineData(96, 32, false), InlineData(80, 48, false)]
    public void Sizes_that_can_be_taken_apart_share_a_digest_and_others_do_not(int one, int other, bool same)
    {
        Assert.Equal(same, KvReslicer.Canonical(Geometry(one), Geometry) == KvReslicer.Canonical(Geometry(other), Geometry));
        using var memory = Memory(other);
        Assert.Equal(same, ((IKvMemory)memory).Reslicer(one) is not null);
    }

    [Fact]
    public void What_is_not_kept_by_token_keeps_its_block_size_in_the_digest()
    {
        static CacheGeometry Ring(int size) => new(size, [new RowPlane("ring", 16, size, WeightType.F32)]);
        Assert.NotEqual(KvReslicer.Canonical(Ring(16), Ring), KvReslicer.Canonical(Ring(32), Ring));
        Assert.Null(KvReslicer.TryCreate(Ring, 16, Ring(32), new() { Digest = "d", BlockSize = 32, BlockBytes = Ring(32).BlockBytes }));
    }

    private static CacheGeometry Geometry(int size) => new(
        size,
        [
            new KvGeometry(2, 32, size, WeightType.F32), new RowPlane("latent", 7, size, WeightType.BF16) { OneRowAToken = true },
            new KvGeometry(1, Width, size, WeightType.E4M3), new KvGeometry(3, 16, size, WeightType.BF16),
        ],
        [new StatePlane("state", 37, 50)]);

    private static KvArena Memory(int size)
    {
        var geometry = Geometry(size);
        var layout = new KvLayout { Digest = "d", BlockSize = size, BlockBytes = geometry.BlockBytes, StateBlocks = geometry.StateBlocks };
        return new(geometry, layout, kvBlocks: 24, stateSlots: 2, shareable: true, resized: Geometry);
    }

    private static int Blocks(KvArena memory) => (Prompt + memory.Layout.BlockSize - 1) / memory.Layout.BlockSize;

    /// <summary>Every second block, backwards; the second state slot.</summary>
    private static int[] Local(KvArena memory) =>
        [.. Enumerable.Range(0, Blocks(memory)).Select(i => 2 * i < memory.KvBlocks ? memory.KvBlocks - 1 - (2 * i) : 2 * i - memory.KvBlocks),
         .. Enumerable.Range(memory.KvBlocks + memory.Layout.StateBlocks, memory.Layout.StateBlocks)];

    private static void Fill(KvArena memory)
    {
        var blocks = Local(memory);
        for (var token = 0; token < Prompt; token++)
            foreach (var (at, value) in Values(memory, blocks, token)) Marshal.WriteByte(at, value);
        for (var i = 0; i < StateBytes; i++) Marshal.WriteByte(StateAt(memory, blocks) + i, (byte)(i * 31));
    }

    private static void Check(KvArena memory, int[] blocks, int cached)
    {
        var size = memory.Layout.BlockSize;
        for (var token = cached * size; token < Prompt; token++)
            foreach (var (at, value) in Values(memory, blocks, token)) Assert.True(Marshal.ReadByte(at) == value, $"token {token}");
        for (var i = 0; i < StateBytes; i++) Assert.True(Marshal.ReadByte(StateAt(memory, blocks) + i) == (byte)(i * 31), $"state byte {i}");
        var used = blocks.Skip(cached).ToHashSet();
        for (var block = 0; block < memory.BlockCount; block++)
            if (!used.Contains(block)) Assert.False(((IKvMemory)memory).Block(block).ContainsAnyExcept((byte)0), $"block {block} is not ours");
    }

    private static int StateBytes => (int)Geometry(16).StateBytes;

    private static nint StateAt(KvArena memory, int[] blocks) => memory.Address + (nint)(blocks[^memory.Layout.StateBlocks] * memory.Layout.BlockBytes);

    /// <summary>Where each byte of a token lies by the layouts' own description, and what it is.</summary>
    private static IEnumerable<(nint At, byte Value)> Values(KvArena memory, int[] blocks, int token)
    {
        var geometry = Geometry(memory.Layout.BlockSize);
        var (size, block, slot) = (geometry.BlockSize, blocks[token / memory.Layout.BlockSize], token % memory.Layout.BlockSize);
        for (var plane = 0; plane < geometry.Planes.Count; plane++)
        {
            var start = memory.Address + (nint)(block * memory.Layout.BlockBytes + geometry.Offset(plane));
            var nth = 0;
            if (geometry.Planes[plane] is RowPlane rows)
            {
                for (var i = 0; i < rows.Columns * 2; i++) yield return (start + slot * rows.Columns * 2 + i, Value(plane, nth++));
                continue;
            }
            var kv = (KvGeometry)geometry.Planes[plane];
            var element = kv.Type switch { WeightType.F32 => 4, WeightType.BF16 => 2, _ => 1 };
            var values = kv.Heads * kv.HeadDim * size * element;
            for (var head = 0; head < kv.Heads; head++)
            {
                for (var dim = 0; dim < kv.HeadDim; dim++)
                {
                    var key = ((head * (size / 16) + slot / 16) * kv.HeadDim + dim) * 16 + slot % 16;
                    var value = ((head * (kv.HeadDim / 16) + dim / 16) * size + slot) * 16 + dim % 16;
                    for (var b = 0; b < element; b++)
                    {
                        yield return (start + key * element + b, Value(plane, nth++));
                        yield return (start + values + value * element + b, Value(plane, nth++));
                    }
                }
                if (kv.Type != WeightType.E4M3) continue;
                yield return (start + 2 * values + head * size + slot, Value(plane, nth++));
                yield return (start + 2 * values + (kv.Heads + head) * size + slot, Value(plane, nth++));
            }
        }

        byte Value(int plane, int nth) => (byte)(1 + (token * 131 + plane * 17 + nth * 7) % 255);
    }

    private sealed class Rig : IAsyncDisposable
    {
        private readonly IKvTransport _prefill, _decode;
        private readonly HandoffTable _table;
        private readonly KvPuller _puller;
        private readonly int[] _blocks;

        public Rig(string transport, KvArena from, Func<IKvTransport, IKvTransport>? decode = null)
        {
            _blocks = Local(from);
            (_prefill, _decode) = (TransferRig.Create(transport), (decode ?? (static t => t))(TransferRig.Create(transport)));
            _table = new(_prefill, from, new() { EngineId = "p", Incarnation = "i" }, TimeProvider.System, NullLogger<HandoffTable>.Instance);
            _puller = new(_decode, new() { RetryDelay = TimeSpan.FromMilliseconds(1), SegmentBytes = (int)(3 * from.Layout.BlockBytes) }, TimeProvider.System, NullLogger<KvPuller>.Instance);
        }

        public Task<HandoffTicket> ParkAsync() =>
            _table.ParkAsync(new ParkedKv(_blocks, Prompt, static () => { }), TransferRig.Tokens(Prompt), new SampledToken(5), firstFinishReason: null, default);

        public async Task<KvPullResult> PullAsync(HandoffTicket ticket, int[] local, int cached, IKvMemory to)
        {
            using var reservation = new KvReservation(local, cached, static () => { });
            return await _puller.PullAsync(ticket, TransferRig.Tokens(Prompt), reservation, to, default);
        }

        public async ValueTask DisposeAsync()
        {
            await _table.DisposeAsync();
            await _decode.DisposeAsync();
            await _prefill.DisposeAsync();
        }
    }
}
