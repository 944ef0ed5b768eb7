using System.Buffers.Binary;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>The range list of a request.</summary>
internal static class TcpRanges
{
    public static void Write(ReadOnlySpan<PlannedRange> ranges, Span<byte> to)
    {
        foreach (var range in ranges)
        {
            Write(new SourceRange(range.RemoteOffset, range.Length), to);
            to = to[TcpWire.RangeBytes..];
        }
    }

    public static void Write(SourceRange range, Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, range.Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], range.Length);
    }

    /// <summary>Bounds are not checked here; false when one reply could not carry the ranges.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, Span<SourceRange> ranges, ulong limit, out ulong bytes)
    {
        bytes = 0;
        for (var i = 0; i < ranges.Length; i++, from = from[TcpWire.RangeBytes..])
        {
            ranges[i] = new(BinaryPrimitives.ReadUInt64LittleEndian(from), BinaryPrimitives.ReadUInt64LittleEndian(from[8..]));
            if (ranges[i].Length > limit) return false;
            bytes += ranges[i].Length;
        }
        return bytes <= limit;
    }
}
