namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>The local memory of one frame, piece by piece: ranges of a plan at the side that asked, of a region at the other.</summary>
internal readonly struct Segments
{
    private readonly TransferPlan? _plan;
    private readonly int _start;
    private readonly nint _address;
    private readonly ArraySegment<SourceRange> _ranges;

    public Segments(TransferPlan plan, TransferFrame frame) => (_plan, _start, Count) = (plan, frame.Start, frame.Count);

    public Segments(nint address, ArraySegment<SourceRange> ranges) => (_address, _ranges, Count) = (address, ranges, ranges.Count);

    public int Count { get; }

    /// <summary>Of all pieces.</summary>
    public long Bytes
    {
        get
        {
            var bytes = 0L;
            for (var i = 0; i < Count; i++) bytes += this[i].Length;
            return bytes;
        }
    }

    public (nint Address, int Length) this[int index]
    {
        get
        {
            if (_plan is null) return (_address + (nint)_ranges[index].Offset, checked((int)_ranges[index].Length));
            var range = _plan[_start + index];
            return (range.LocalAddress, checked((int)range.Length));
        }
    }
}
