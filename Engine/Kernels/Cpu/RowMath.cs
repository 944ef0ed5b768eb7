using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>Loads, stores and sums of rows whose length need not be a multiple of the lanes.</summary>
internal static unsafe class RowMath
{
    /// <summary>Up to 16 floats, the missing lanes filled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* from, int count, float fill = 0)
    {
        if (count >= Simd.Lanes) return Vector512.Load(from);
        var padded = stackalloc float[Simd.Lanes];
        for (var i = 0; i < Simd.Lanes; i++) padded[i] = i < count ? from[i] : fill;
        return Vector512.Load(padded);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* to, int count)
    {
        if (count >= Simd.Lanes)
        {
            value.Store(to);
            return;
        }
        for (var i = 0; i < count; i++) to[i] = value.GetElement(i);
    }

    /// <summary>The lanes added as a fixed tree (halves, quarters, …): the same sum on every machine.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> lanes)
    {
        var eight = lanes.GetLower() + lanes.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        return four.GetElement(0) + four.GetElement(2) + (four.GetElement(1) + four.GetElement(3));
    }

    /// <summary>Exact whatever the order; NaN wins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector512<float> lanes)
    {
        var eight = Vector256.Max(lanes.GetLower(), lanes.GetUpper());
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return MathF.Max(MathF.Max(four.GetElement(0), four.GetElement(1)), MathF.Max(four.GetElement(2), four.GetElement(3)));
    }
}
