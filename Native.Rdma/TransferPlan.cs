using System.Runtime.InteropServices;

namespace NanoAspire.Native.Rdma;

/// <summary>
/// A checked read or write: ranges with their local addresses, neighbours merged, cut into frames. Keeps the local regions pinned
/// until disposed, so they cannot be unregistered under a running transfer.
/// </summary>
internal sealed class TransferPlan : IDisposable
{
    /// <summary>Ranges one call may name.</summary>
    public const int MaxRanges = 1 << 20;

    private readonly List<PlannedRange> _ranges = [];
    private readonly List<TransferFrame> _frames = [];
    private readonly List<MemoryRegion> _pinned = [];
    private int _nextFrame = -1;

    private TransferPlan()
    {
    }

    /// <summary>The local regions that the ranges lie in.</summary>
    public IReadOnlyList<MemoryRegion> LocalRegions => _pinned;

    public int FrameCount => _frames.Count;
    public bool IsOfOneRegion => _ranges.TrueForAll(r => r.Remote == _ranges[0].Remote);
    public long Bytes { get; private set; }

    /// <exception cref="TransferException">A local region is unknown, a local range is outside of it, or there are too many ranges.</exception>
    public static TransferPlan Create(RegionRegistry registry, IReadOnlyList<TransferRange> ranges, int maxFrameBytes, int maxFrameRanges)
    {
        if (ranges.Count > MaxRanges) throw new TransferException(TransferCode.LimitExceeded, $"{ranges.Count} ranges; one transfer takes {MaxRanges}");
        var plan = new TransferPlan();
        try
        {
            plan.Merge(registry, ranges);
            plan.CutIntoFrames((ulong)maxFrameBytes, maxFrameRanges);
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

    public PlannedRange this[int index] => _ranges[index];

    public ReadOnlySpan<PlannedRange> Slice(int start, int count) => CollectionsMarshal.AsSpan(_ranges).Slice(start, count);

    public void Dispose()
    {
        foreach (var region in _pinned) region.Unpin();
        _pinned.Clear();
    }

    private void Merge(RegionRegistry registry, IReadOnlyList<TransferRange> ranges)
    {
        MemoryRegion? local = null;
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
            if (_ranges.Count > 0 && _ranges[^1].TryAppend(planned, out var merged)) _ranges[^1] = merged;
            else _ranges.Add(planned);
        }
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

    private void CutIntoFrames(ulong maxBytes, int maxRanges)
    {
        var whole = _ranges.ToArray();
        _ranges.Clear();
        var frame = default(TransferFrame);
        foreach (var range in whole)
        {
            for (var rest = range; rest.Length > 0;)
            {
                if (frame.Count > 0 && (frame.Count == maxRanges || frame.Bytes == maxBytes || frame.Remote != rest.Remote))
                {
                    _frames.Add(frame);
                    frame = default;
                }
                if (frame.Count == 0) frame = new(rest.Remote, Start: _ranges.Count, Count: 0, Bytes: 0);
                var piece = rest.Take(maxBytes - frame.Bytes, out rest);
                _ranges.Add(piece);
                frame = frame with { Count = frame.Count + 1, Bytes = frame.Bytes + piece.Length };
            }
        }
        if (frame.Count > 0) _frames.Add(frame);
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
