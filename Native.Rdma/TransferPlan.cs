using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NanoAspire.Native.Rdma.OneSided;

namespace NanoAspire.Native.Rdma;

/// <summary>
/// A checked read or write: ranges with their local addresses, neighbours merged, cut into frames. Keeps the local regions pinned
/// until disposed, so they cannot be unregistered under a running transfer.
/// </summary>
internal sealed class TransferPlan : IDisposable
{
    /// <summary>Ranges one call may name.</summary>
    public const int MaxRanges = 1 << 20;

    private readonly int _maxFrameRanges;
    private readonly ulong _maxFrameBytes;
    private readonly List<TransferFrame> _frames = [];
    private readonly List<MemoryRegion> _pinned = [];
    /// <summary>Rented: a new one for every large transfer would cost more in page faults than all that is done to it.</summary>
    private PlannedRange[] _ranges;
    private int _count;
    /// <summary>Of the open frame, which begins at <see cref="_frameStart"/> and ends at <see cref="_count"/>.</summary>
    private ulong _frameBytes;
    private int _frameStart;
    private int _nextFrame = -1;

    private TransferPlan(int ranges, int maxFrameBytes, int maxFrameRanges)
    {
        (_maxFrameBytes, _maxFrameRanges) = ((ulong)maxFrameBytes, maxFrameRanges);
        _ranges = ArrayPool<PlannedRange>.Shared.Rent(ranges);
    }

    public static TransferPlan Empty { get; } = new(ranges: 0, maxFrameBytes: 0, maxFrameRanges: 0);

    /// <summary>The local regions that the ranges lie in.</summary>
    public IReadOnlyList<MemoryRegion> LocalRegions => _pinned;

    public int FrameCount => _frames.Count;
    public bool IsOfOneRegion { get; private set; } = true;
    public long Bytes { get; private set; }

    /// <exception cref="TransferException">A local region is unknown, a local range is outside of it, or there are too many ranges.</exception>
    public static TransferPlan Create(RegionRegistry registry, IReadOnlyList<TransferRange> ranges, int maxFrameBytes, int maxFrameRanges) =>
        Create(registry, Span(ranges), maxFrameBytes, maxFrameRanges);

    /// <summary>As <see cref="Create(RegionRegistry, IReadOnlyList{TransferRange}, int, int)"/>, for a copy that reads the source itself.</summary>
    /// <exception cref="TransferException">As there.</exception>
    public static TransferPlan CreateInSourceOrder(RegionRegistry registry, IReadOnlyList<TransferRange> ranges, bool writes, int maxFrameBytes, int maxFrameRanges)
    {
        using var ordered = new SourceOrder(Span(ranges), writes);
        return Create(registry, ordered.Ranges, maxFrameBytes, maxFrameRanges);
    }

    private static TransferPlan Create(RegionRegistry registry, ReadOnlySpan<TransferRange> ranges, int maxFrameBytes, int maxFrameRanges)
    {
        var plan = new TransferPlan(ranges.Length, maxFrameBytes, maxFrameRanges);
        try
        {
            plan.AddAll(registry, ranges);
            return plan;
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    private static ReadOnlySpan<TransferRange> Span(IReadOnlyList<TransferRange> ranges)
    {
        if (ranges.Count > MaxRanges) throw new TransferException(TransferCode.LimitExceeded, $"{ranges.Count} ranges; one transfer takes {MaxRanges}");
        return ranges switch
        {
            TransferRange[] array => array,
            List<TransferRange> list => CollectionsMarshal.AsSpan(list),
            _ => ranges.ToArray(),
        };
    }

    /// <summary>Hands out each frame once, to any thread.</summary>
    public bool TryTakeFrame(out TransferFrame frame)
    {
        var index = Interlocked.Increment(ref _nextFrame);
        frame = index < _frames.Count ? _frames[index] : default;
        return index < _frames.Count;
    }

    /// <summary>Takes up to <paramref name="frames"/> neighbouring frames as one, as far as that stays within the limits. For one taker.</summary>
    public bool TryTakeFrames(int frames, int maxRanges, ulong maxBytes, out TransferFrame taken)
    {
        if (!TryTakeFrame(out taken)) return false;
        for (var left = frames - 1; left > 0 && _nextFrame + 1 < _frames.Count; left--)
        {
            var next = _frames[_nextFrame + 1];
            if (next.Remote != taken.Remote || taken.Count + next.Count > maxRanges || taken.Bytes + next.Bytes > maxBytes) break;
            taken = taken with { Count = taken.Count + next.Count, Bytes = taken.Bytes + next.Bytes };
            _nextFrame++;
        }
        return true;
    }

    public ref readonly PlannedRange this[int index] => ref _ranges[index];

    public ReadOnlySpan<PlannedRange> Slice(int start, int count) => _ranges.AsSpan(start, count);

    /// <summary>Not before the last copy has ended: the ranges go back to where they were rented.</summary>
    public void Dispose()
    {
        foreach (var region in _pinned) region.Unpin();
        _pinned.Clear();
        var ranges = _ranges;
        _ranges = [];
        if (ranges.Length > 0) ArrayPool<PlannedRange>.Shared.Return(ranges);
    }

    /// <summary>Nothing is copied before this is done, so it takes a few nanoseconds a range, from its first call on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddAll(RegionRegistry registry, ReadOnlySpan<TransferRange> ranges)
    {
        MemoryRegion? local = null;
        var open = default(PlannedRange);
        foreach (ref readonly var range in ranges)
        {
            if (range.Length == 0) continue;
            if (local is null || local.Id != range.Local) local = Pin(registry, range.Local);
            if (!local.Contains(range.LocalOffset, range.Length)) throw Outside(range, local);
            if (range.RemoteOffset > ulong.MaxValue - range.Length)
                throw new TransferException(TransferCode.OutOfRange, $"remote range {range.RemoteOffset}+{range.Length} overflows");

            Bytes = checked(Bytes + (long)range.Length);
            var address = local.Address + (nint)range.LocalOffset;
            if (open.Length > 0 && open.IsFollowedBy(range.Remote, range.RemoteOffset, address))
            {
                open = open with { Length = open.Length + range.Length };
                continue;
            }
            if (open.Length > 0)
            {
                IsOfOneRegion &= range.Remote == open.Remote;
                Add(open);
            }
            open = new(range.Remote, range.RemoteOffset, address, range.Length);
        }
        if (open.Length > 0) Add(open);
        CloseFrame();
    }

    private static TransferException Outside(TransferRange range, MemoryRegion local) =>
        new(TransferCode.OutOfRange, $"local range {range.LocalOffset}+{range.Length} is outside region '{local.Name}' of {local.Length} bytes");

    private MemoryRegion Pin(RegionRegistry registry, RegionId id)
    {
        foreach (var known in _pinned) if (known.Id == id) return known;
        var code = registry.Find(id, out var region);
        if (region is null) throw new TransferException(code, $"local region {id} is not registered");
        if (!region.TryPin()) throw new TransferException(TransferCode.StaleRegion, $"local region '{region.Name}' is being unregistered");
        _pinned.Add(region);
        return region;
    }

    /// <summary>Puts a range into the open frame where it fits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(in PlannedRange range)
    {
        var frameRanges = _count - _frameStart;
        var fits = frameRanges > 0 && frameRanges < _maxFrameRanges && range.Length <= _maxFrameBytes - _frameBytes && _count < _ranges.Length;
        if (!fits || _ranges[_frameStart].Remote != range.Remote)
        {
            AddInPieces(range);
            return;
        }
        _ranges[_count++] = range;
        _frameBytes += range.Length;
    }

    /// <summary>Puts a range, in as many pieces as it takes, into the open frame and those after it.</summary>
    private void AddInPieces(PlannedRange range)
    {
        while (range.Length > 0)
        {
            if (_count - _frameStart == _maxFrameRanges || _frameBytes == _maxFrameBytes || _count > _frameStart && _ranges[_frameStart].Remote != range.Remote) CloseFrame();
            var piece = range.Take(_maxFrameBytes - _frameBytes, out range);
            if (_count == _ranges.Length) Grow();
            _ranges[_count++] = piece;
            _frameBytes += piece.Length;
        }
    }

    private void CloseFrame()
    {
        if (_count > _frameStart) _frames.Add(new(_ranges[_frameStart].Remote, _frameStart, _count - _frameStart, _frameBytes));
        (_frameStart, _frameBytes) = (_count, 0);
    }

    private void Grow()
    {
        var larger = ArrayPool<PlannedRange>.Shared.Rent(Math.Max(16, _ranges.Length * 2));
        _ranges.AsSpan(0, _count).CopyTo(larger);
        if (_ranges.Length > 0) ArrayPool<PlannedRange>.Shared.Return(_ranges);
        _ranges = larger;
    }
}

/// <summary>One request on the wire: ranges <c>[Start, Start + Count)</c> of the plan, all of one remote region.</summary>
internal readonly record struct TransferFrame(RegionId Remote, int Start, int Count, ulong Bytes);

internal readonly record struct PlannedRange(RegionId Remote, ulong RemoteOffset, nint LocalAddress, ulong Length)
{
    /// <summary>True when both sides go on where this range ends.</summary>
    public bool IsFollowedBy(RegionId remote, ulong remoteOffset, nint localAddress) =>
        remote == Remote && remoteOffset == RemoteOffset + Length && localAddress == LocalAddress + (nint)Length;

    public PlannedRange Take(ulong length, out PlannedRange rest)
    {
        length = Math.Min(length, Length);
        var piece = this with { Length = length }; // before rest, which may be where this range is kept
        rest = this with { RemoteOffset = RemoteOffset + length, LocalAddress = LocalAddress + (nint)length, Length = Length - length };
        return piece;
    }
}
