using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NanoAspire.Native.Rdma.SharedMemory;

/// <summary>
/// Copies past the caches, for more than they hold: a plain copy first reads every line that it is going to overwrite. Pieces of a
/// large copy are small enough for the system's own copy not to know that they belong together.
/// </summary>
internal static unsafe class StreamingCopy
{
    /// <summary>From here on the first bytes of a copy have left the caches when its last ones arrive.</summary>
    public const ulong WorthwhileBytes = 16 << 20;
    private const ulong Least = 4096;
    private const int Step = 128;

    /// <summary>Whether the ranges spread over more than the caches hold; a block that is read again and again does not, however many bytes that makes.</summary>
    public static bool IsWorthwhile(ReadOnlySpan<PlannedRange> ranges, bool writes)
    {
        if (!Avx.IsSupported) return false;
        var (first, end, bytes) = (ulong.MaxValue, 0ul, 0ul);
        foreach (ref readonly var range in ranges)
        {
            var to = writes ? range.RemoteOffset : (ulong)range.LocalAddress;
            (first, end, bytes) = (Math.Min(first, to), Math.Max(end, to + range.Length), bytes + range.Length);
        }
        return Math.Min(bytes, end - first) >= WorthwhileBytes;
    }

    /// <summary>Call <see cref="Fence"/> before anybody else may look at the destination. Compiled for good at once: the first transfers are as large as the later ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(byte* from, byte* to, ulong bytes)
    {
        if (!Avx.IsSupported || bytes < Least)
        {
            Buffer.MemoryCopy(from, to, bytes, bytes);
            return;
        }
        var head = (ulong)(-(nint)to & (Vector256<byte>.Count - 1));
        Buffer.MemoryCopy(from, to, head, head);
        var at = head;
        for (; at + Step <= bytes; at += Step)
        {
            var (a, b) = (Avx.LoadVector256(from + at), Avx.LoadVector256(from + at + 32));
            var (c, d) = (Avx.LoadVector256(from + at + 64), Avx.LoadVector256(from + at + 96));
            Avx.StoreAlignedNonTemporal(to + at, a);
            Avx.StoreAlignedNonTemporal(to + at + 32, b);
            Avx.StoreAlignedNonTemporal(to + at + 64, c);
            Avx.StoreAlignedNonTemporal(to + at + 96, d);
        }
        Buffer.MemoryCopy(from + at, to + at, bytes - at, bytes - at);
    }

    /// <summary>Makes what was copied on this thread visible before anything that it writes later.</summary>
    public static void Fence()
    {
        if (Sse.IsSupported) Sse.StoreFence();
    }
}
