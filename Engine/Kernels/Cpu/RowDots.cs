using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// Inner products of one row with several, each 16 chains by column mod 16 and then a fixed tree: how many rows share the call changes
/// none of them. Rows are padded with zeros to whole vectors.
/// </summary>
internal static unsafe class RowDots
{
    /// <param name="row">[padded]</param>
    /// <param name="others">[count, padded], one after the other.</param>
    /// <param name="padded">A multiple of the lanes.</param>
    /// <param name="count">Any.</param>
    /// <param name="into">dots[i] at <c>into[i · stride]</c>.</param>
    /// <param name="stride">Of the results.</param>
    public static void Invoke(float* row, float* others, int padded, int count, float* into, nint stride)
    {
        var i = 0;
        for (; i + 4 <= count; i += 4) Four(row, others + (nint)i * padded, padded, into + i * stride, stride);
        for (; i < count; i++) into[i * stride] = One(row, others + (nint)i * padded, padded);
    }

    private static float One(float* x, float* y, int padded)
    {
        var sum = Vector512<float>.Zero;
        for (var i = 0; i < padded; i += Simd.Lanes) sum = Vector512.FusedMultiplyAdd(Vector512.Load(x + i), Vector512.Load(y + i), sum);
        return RowMath.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]                   // hot from the first call on
    private static void Four(float* x, float* y, int padded, float* into, nint stride)
    {
        float* y1 = y + padded, y2 = y1 + padded, y3 = y2 + padded;
        Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (var i = 0; i < padded; i += Simd.Lanes)
        {
            var v = Vector512.Load(x + i);
            s0 = Vector512.FusedMultiplyAdd(v, Vector512.Load(y + i), s0);
            s1 = Vector512.FusedMultiplyAdd(v, Vector512.Load(y1 + i), s1);
            s2 = Vector512.FusedMultiplyAdd(v, Vector512.Load(y2 + i), s2);
            s3 = Vector512.FusedMultiplyAdd(v, Vector512.Load(y3 + i), s3);
        }
        into[0] = RowMath.Sum(s0);
        into[stride] = RowMath.Sum(s1);
        into[2 * stride] = RowMath.Sum(s2);
        into[3 * stride] = RowMath.Sum(s3);
    }
}
