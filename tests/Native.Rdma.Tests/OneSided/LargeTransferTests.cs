using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Tests.OneSided;

/// <summary>Transfers that are put in order, go past the caches and take several frames.</summary>
public sealed class LargeTransferTests
{
    private const int Size = 80 << 20, Spread = 60_001;

    private readonly RegionRegistry _owners = new();
    private readonly RegionRegistry _ours = new();

    [Fact]
    public Task Shared_memory_moves_shuffled_ranges_exactly() => MovesAsync(TestMemory.Shared(Size),
        static regions => new SharedMemoryTransport(regions, new(), tcpFallback: false, copyThreads: 2, TimeProvider.System, NullLoggerFactory.Instance));

    [Fact, Trait("needs", "ucx")]
    public Task Ucx_moves_shuffled_ranges_exactly()
    {
        Assert.SkipUnless(Needs.Ucx, Needs.UcxReason);
        return MovesAsync(TestMemory.Ucx(Size), static regions => new UcxTransport(regions, new(), new(), tcpFallback: false, TimeProvider.System, NullLoggerFactory.Instance));
    }

    private async Task MovesAsync(TestMemory remote, Func<RegionRegistry, ITransport> create)
    {
        using var owned = remote;
        using var local = new TestMemory(Size);
        await using var owner = create(_owners);
        await using var mover = create(_ours);
        var grants = new WriteGrants();
        var (theirs, ours) = (remote.Open(_owners, readGuard: null, grants), local.Register(_ours));
        var (peer, ranges) = (owner.Listen(), Ranges(theirs.Id, ours.Id));
        var bytes = ranges.Sum(static range => (long)range.Length);

        remote.Fill(seed: 3);
        Assert.Equal(bytes, await mover.ReadAsync(peer, ranges, token: 0, TestContext.Current.CancellationToken));
        AssertMoved(ranges, remote, local);

        local.Fill(seed: 4);
        var grant = grants.Allow(0, Size);
        Assert.Equal(bytes, await mover.WriteAsync(peer, ranges, grant, notification: null, TestContext.Current.CancellationToken));
        AssertMoved(ranges, remote, local);
    }

    /// <summary>Pieces of odd sizes at odd addresses, in no order; between them, bytes that nobody asked for.</summary>
    private static TransferRange[] Ranges(RegionId remote, RegionId local)
    {
        var random = new Random(7);
        var count = (Size - Spread) / Spread;
        var (from, to) = (Enumerable.Range(0, count).ToArray(), Enumerable.Range(0, count).ToArray());
        random.Shuffle(from);
        random.Shuffle(to);
        return [.. from.Select((at, i) => new TransferRange
        {
            Remote = remote, RemoteOffset = (ulong)(at * Spread), Local = local, LocalOffset = (ulong)(to[i] * Spread + 13), Length = (ulong)random.Next(Spread - 5000, Spread),
        })];
    }

    private static void AssertMoved(TransferRange[] ranges, TestMemory remote, TestMemory local)
    {
        foreach (var range in ranges)
            Assert.True(remote.Span.Slice((int)range.RemoteOffset, (int)range.Length).SequenceEqual(local.Span.Slice((int)range.LocalOffset, (int)range.Length)), $"{range}");
    }
}
