using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>E8M0: eight bits of exponent and nothing else, 2^(bits − 127); all of them set is NaN.</summary>
internal static unsafe class Exponent8
{
    public const byte NaN = 255;
    /// <summary>2¹²⁵, times 6 still a float32.</summary>
    public const byte LargestOfFloat4 = 252;
    private const int Smallest = 0x00400000;                                 // 2^-127, a subnormal

    public static float ToSingle(byte bits) => bits == NaN ? float.NaN : BitConverter.Int32BitsToSingle(Math.Max(bits << 23, Smallest));

    /// <summary>Of a power of two.</summary>
    public static byte FromSingle(float value)
    {
        var bits = (byte)(BitConverter.SingleToUInt32Bits(value) >> 23);
        return ToSingle(bits) == value ? bits : throw new ArgumentOutOfRangeException(nameof(value), value, "is no power of two");
    }

    /// <summary>Sixteen powers of two; none of the bits are NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Expand(byte* bits) =>
        Vector512.Max(Simd.Bytes(bits) << 23, Vector512.Create(Smallest)).AsSingle();
}
