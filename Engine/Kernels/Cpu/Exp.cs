using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// eˣ, 16 lanes at a time. Our own, so that it is the same function in every lane, tail and runtime version: tails are padded to a
/// vector, never computed by another formula. Within 2 ulp; below −87.3 it is 0, above 88.7 it is +∞, NaN stays NaN.
/// </summary>
internal static class Exp
{
    private const float Log2E = 1.44269504f, Ln2High = 0.693359375f, Ln2Low = -2.12194440e-4f;
    private const float Lowest = -87.33654f, Highest = 88.72283f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Invoke(Vector512<float> x)
    {
        var y = Reduce(x, out var n);
        // 2ⁿ in two factors: 2¹²⁸ alone would not be a finite float.
        var half = n >> 1;
        y = y * Power(half) * Power(n - half);
        y = Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512.Create(Highest)), Vector512.Create(float.PositiveInfinity), y);
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(Lowest)), Vector512<float>.Zero, y);
    }

    /// <summary>The same bits for x ≤ 0 and NaN, which is all a softmax has: it subtracts the maximum first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> NotPositive(Vector512<float> x)
    {
        var y = Reduce(x, out var n) * Power(n);
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(Lowest)), Vector512<float>.Zero, y);
    }

    /// <summary>One value, through the vector.</summary>
    public static float Invoke(float x) => Invoke(Vector512.Create(x)).ToScalar();

    internal static double Reference(double x) => Math.Exp(x);

    /// <summary>x = n ln2 + r with |r| ≤ ln2/2, ln2 in two parts, the first exact times n; returns eʳ = 1 + r + r² p(r), p of degree 5. NaN passes through r.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Reduce(Vector512<float> x, out Vector512<int> n)
    {
        var whole = Vector512.Floor(Vector512.FusedMultiplyAdd(x, Vector512.Create(Log2E), Vector512.Create(0.5f)));
        whole = Vector512.MinNative(Vector512.MaxNative(whole, Vector512.Create(-126f)), Vector512.Create(128f));
        n = Vector512.ConvertToInt32Native(whole);
        var r = Vector512.FusedMultiplyAdd(whole, Vector512.Create(-Ln2High), x);
        r = Vector512.FusedMultiplyAdd(whole, Vector512.Create(-Ln2Low), r);

        var p = Vector512.Create(1.9875691500e-4f);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        return Vector512.FusedMultiplyAdd(p, r * r, r) + Vector512<float>.One;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Power(Vector512<int> n) => ((n + Vector512.Create(127)) << 23).AsSingle();
}
