using System.Runtime.Intrinsics;
using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Loading;

/// <summary>Finds NaN and infinity in stored weights: all exponent bits set.</summary>
internal static unsafe class FiniteScan
{
    /// <summary>Index of the first number that is not finite, or −1.</summary>
    public static long FirstNonFinite(byte* data, long count, WeightType type)
    {
        if (type == WeightType.E2M1) return -1;                              // it has neither
        if (type == WeightType.F32)
        {
            var numbers = (uint*)data;
            var exponent = Vector512.Create(0x7f800000u);
            var i = 0L;
            for (; i + Vector512<uint>.Count <= count; i += Vector512<uint>.Count)
                if (Vector512.EqualsAny(Vector512.Load(numbers + i) & exponent, exponent)) break;
            for (; i < count; i++) if ((numbers[i] & 0x7f800000u) == 0x7f800000u) return i;
        }
        else if (type == WeightType.E4M3)
        {
            var magnitude = Vector512.Create((byte)0x7f);                    // all of it set is NaN; there is no infinity
            var i = 0L;
            for (; i + Vector512<byte>.Count <= count; i += Vector512<byte>.Count)
                if (Vector512.EqualsAny(Vector512.Load(data + i) & magnitude, magnitude)) break;
            for (; i < count; i++) if ((data[i] & 0x7f) == 0x7f) return i;
        }
        else
        {
            var mask = (ushort)(type == WeightType.BF16 ? 0x7f80 : 0x7c00);
            var numbers = (ushort*)data;
            var exponent = Vector512.Create(mask);
            var i = 0L;
            for (; i + Vector512<ushort>.Count <= count; i += Vector512<ushort>.Count)
                if (Vector512.EqualsAny(Vector512.Load(numbers + i) & exponent, exponent)) break;
            for (; i < count; i++) if ((numbers[i] & mask) == mask) return i;
        }
        return -1;
    }
}
