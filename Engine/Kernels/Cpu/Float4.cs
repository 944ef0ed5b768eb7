using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>E2M1: sign, two exponent bits with a bias of 1, one of mantissa: ±{0, ½, 1, 1½, 2, 3, 4, 6}. Two share a byte, the first in its lower half.</summary>
internal static class Float4
{
    /// <summary>Numbers of a row that share a factor (OCP Microscaling Formats 1.0, MXFP4).</summary>
    public const int Group = 32;

    public static float ToSingle(int code) => Doubles.GetElement(code) * 0.5f;

    /// <summary>Sixteen numbers from the low four bits of integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Expand(Vector512<int> codes)
    {
        var numbers = Vector512.Create(0f, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6);
        return Avx512F.IsSupported ? Avx512F.PermuteVar16x32(numbers, codes) : Vector512.Shuffle(numbers, codes & Vector512.Create(15));
    }

    /// <summary>Sixteen numbers from codes of 0 to 15, for machines without a look-up of that width: doubled they are integers of a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> Lower, Vector256<float> Upper) Expand(Vector128<byte> codes)
    {
        var numbers = Vector256.WidenLower(Vector128.ShuffleNative(Doubles.AsByte(), codes).AsSByte().ToVector256Unsafe());
        var half = Vector256.Create(0.5f);
        return (Vector256.ConvertToSingle(Vector256.WidenLower(numbers)) * half, Vector256.ConvertToSingle(Vector256.WidenUpper(numbers)) * half);
    }

    private static Vector128<sbyte> Doubles => Vector128.Create(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

    internal static double Reference(int code)
    {
        var (sign, exponent, mantissa) = ((code & 8) != 0 ? -1 : 1, code >> 1 & 3, code & 1);
        return sign * (exponent == 0 ? mantissa * 0.5 : (1 + mantissa * 0.5) * Math.Pow(2, exponent - 1));
    }
}
