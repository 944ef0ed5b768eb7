using System.Buffers;

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
    private TransferFrame _frame;
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
    public static TransferPlan Create(RegionRegistry registry, IReadOnlyList<TransferRange> ranges, int maxFrameBytes, int maxFrameRanges)
    {
        if (ranges.Count > MaxRanges) throw new TransferException(TransferCode.LimitExceeded, $"{ranges.Count} ranges; one transfer takes {MaxRanges}");
        var plan = new TransferPlan(ranges.Count, maxFrameBytes, maxFrameRanges);
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

    /// <summary>Hands out each frame once, to any thread.</summary>
    public bool TryTakeFrame(out TransferFrame frame)
    {
        var index = Interlocked.Increment(ref _nextFrame);
        frame = index < _frames.Count ? _frames[index] : default;
        return index < _frames.Count;
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

    private void AddAll(RegionRegistry registry, IReadOnlyList<TransferRange> ranges)
    {
        MemoryRegion? local = null;
        var open = default(PlannedRange);
        for (var i = 0; i < ranges.Count; i++)
        {
            var range = ranges[i];
            if (range.Length == 0) continue;
            if (local is null || local.Id != range.Local) local = Pin(registry, range.Local);
            if (!local.Contains(range.LocalOffset, range.Length))
            {
                throw new TransferException(TransferCode.OutOfRange,
                    $"local range {range.LocalOffset}+{range.Length} is outside region '{local.Name}' of {local.Length} bytes");
            }
            if (range.RemoteOffset > ulong.MaxValue - range.Length)
                throw new TransferException(TransferCode.OutOfRange, $"remote range {range.RemoteOffset}+{range.Length} overflows");

            Bytes = checked(Bytes + (long)range.Length);
            var planned = new PlannedRange(range.Remote, range.RemoteOffset, local.Address + (nint)range.LocalOffset, range.Length);
            if (open.Length == 0) open = planned;
            else if (open.TryAppend(planned, out var merged)) open = merged;
            else
            {
                IsOfOneRegion &= planned.Remote == open.Remote;
                Add(open);
                open = planned;
            }
        }
        if (open.Length > 0) Add(open);
        if (_frame.Count > 0) _frames.Add(_frame);
    }

    private MemoryRegion Pin(RegionRegistry registry, RegionId id)
    {
        foreach (var known in _pinned) if (known.Id == id) return known;
        var code = registry.Find(id, out var region);
        if (region is null) throw new TransferException(code, $"local region {id} is not registered");
        if (!region.TryPin()) throw new TransferException(TransferCode.StaleRegion, $"local region '{region.Name}' is being unregistered");
        _pinned.Add(region);
        return region;
    }

    /// <summary>Puts a range, in as many pieces as it takes, into the open frame and those after it.</summary>
    private void Add(PlannedRange range)
    {
        while (range.Length > 0)
        {
            if (_frame.Count > 0 && (_frame.Count == _maxFrameRanges || _frame.Bytes == _maxFrameBytes || _frame.Remote != range.Remote))
            {
                _frames.Add(_frame);
                _frame = default;
            }
            if (_frame.Count == 0) _frame = new(range.Remote, Start: _count, Count: 0, Bytes: 0);
            var piece = range.Take(_maxFrameBytes - _frame.Bytes, out range);
            if (_count == _ranges.Length) Grow();
            _ranges[_count++] = piece;
            _frame = _frame with { Count = _frame.Count + 1, Bytes = _frame.Bytes + piece.Length };
        }
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
    public bool TryAppend(PlannedRange next, out PlannedRange merged)
    {
        merged = this with { Length = Length + next.Length };
        return next.Remote == Remote && next.RemoteOffset == RemoteOffset + Length && next.LocalAddress == LocalAddress + (nint)Length;
    }

    public PlannedRange Take(ulong length, out PlannedRange rest)
    {
        length = Math.Min(length, Length);
        var piece = this with { Length = length }; // before rest, which may be where this range is kept
        rest = this with { RemoteOffset = RemoteOffset + length, LocalAddress = LocalAddress + (nint)length, Length = Length - length };
        return piece;
    }
}
