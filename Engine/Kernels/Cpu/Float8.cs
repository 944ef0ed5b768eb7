using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>E4M3: sign, four exponent bits with a bias of 7, three of mantissa; no infinity, largest finite value 448.</summary>
internal static class Float8
{
    public const float Max = 448;
    private const int Fields = unchecked((int)0x87f00000);
    private const float Rebias = 1.329227995784916e36f;                      // 2^120

    /// <summary>Rounds to nearest, ties to even; beyond ±448 it is ±448. NaN stays NaN.</summary>
    public static byte FromSingle(float value)
    {
        var sign = (byte)(BitConverter.SingleToUInt32Bits(value) >> 24 & 0x80);
        if (float.IsNaN(value)) return (byte)(sign | 0x7f);
        var magnitude = MathF.Min(MathF.Abs(value), Max);
        if (magnitude < 0.015625f) return (byte)(sign | (int)MathF.Round(magnitude * 512));    // subnormal: multiples of 2^-9
        var bits = BitConverter.SingleToUInt32Bits(magnitude);
        return (byte)(sign | ((bits + 0x7ffff + (bits >> 20 & 1)) >> 20) - (120 << 3));
    }

    /// <summary>Sixteen values, each in the top byte of its lane. Moved four bits down the fields sit where float32 has them, with an exponent 120 too small; the product with 2¹²⁰ is exact, subnormals included.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Expand(Vector512<int> topByte) => ((topByte >> 4) & Vector512.Create(Fields)).AsSingle() * Vector512.Create(Rebias);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Expand(Vector256<int> topByte) => ((topByte >> 4) & Vector256.Create(Fields)).AsSingle() * Vector256.Create(Rebias);

    public static float ToSingle(byte bits) => (bits & 0x7f) == 0x7f ? float.NaN : BitConverter.Int32BitsToSingle((bits << 24 >> 4) & Fields) * Rebias;

    /// <summary>The power of two that brings a tile into range: at least its largest magnitude / 448. NaN and infinity make it so.</summary>
    public static float Scale(float largest)
    {
        var bits = BitConverter.SingleToUInt32Bits(MathF.Max(largest / Max, 1e-12f));
        return float.IsFinite(largest) ? BitConverter.UInt32BitsToSingle((bits + 0x7fffff) & 0xff800000) : float.NaN;
    }

    internal static double Reference(byte bits)
    {
        var (sign, exponent, mantissa) = ((bits & 0x80) != 0 ? -1 : 1, bits >> 3 & 15, bits & 7);
        if ((bits & 0x7f) == 0x7f) return double.NaN;
        return exponent == 0 ? sign * mantissa * Math.Pow(2, -9) : sign * (1 + mantissa / 8.0) * Math.Pow(2, exponent - 7);
    }
}
