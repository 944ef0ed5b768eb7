using System.Buffers;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Native.Rdma.OneSided;

/// <summary>
/// The ranges of a large copy in the order in which they lie in the memory that is read: what the processor has fetched ahead, and the
/// page tables it has walked, then serve the next range as well. Small copies, and those in order, stay as they are.
/// </summary>
internal readonly ref struct SourceOrder : IDisposable
{
    private readonly TransferRange[]? _rented;

    public SourceOrder(ReadOnlySpan<TransferRange> ranges, bool writes)
    {
        Ranges = ranges;
        if (!IsWorthwhile(ranges, writes)) return;
        var keys = ArrayPool<ulong>.Shared.Rent(ranges.Length);
        _rented = ArrayPool<TransferRange>.Shared.Rent(ranges.Length);
        for (var i = 0; i < ranges.Length; i++) (keys[i], _rented[i]) = (Source(ranges[i], writes), ranges[i]);
        keys.AsSpan(0, ranges.Length).Sort(_rented.AsSpan(0, ranges.Length));
        ArrayPool<ulong>.Shared.Return(keys);
        Ranges = _rented.AsSpan(0, ranges.Length);
    }

    public ReadOnlySpan<TransferRange> Ranges { get; }

    public void Dispose()
    {
        if (_rented is not null) ArrayPool<TransferRange>.Shared.Return(_rented);
    }

    private static bool IsWorthwhile(ReadOnlySpan<TransferRange> ranges, bool writes)
    {
        var (bytes, last, ordered) = (0ul, 0ul, true);
        foreach (ref readonly var range in ranges)
        {
            var source = Source(range, writes);
            bytes += range.Length; // may wrap: nothing but the order hangs on it
            ordered &= source >= last;
            last = source;
        }
        return !ordered && bytes >= StreamingCopy.WorthwhileBytes;
    }

    private static ulong Source(in TransferRange range, bool writes) => writes ? range.LocalOffset : range.RemoteOffset;
}
