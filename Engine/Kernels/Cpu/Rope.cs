using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>(a, b) → (a·cos − b·sin, b·cos + a·sin) for the pairs of a head, in either pairing.</summary>
internal static unsafe class Rope
{
    private static readonly Vector512<int> Twice = Vector512.Create(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    private static readonly Vector512<int> Swapped = Vector512.Create(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    private static readonly Vector512<float> Signs = Vector512.Create(-1f, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1);

    /// <summary>Pairs (2i, 2i + 1), eight at a time: x·[c c] + swapped x·[−s s].</summary>
    public static void Neighbours(float* head, float* cos, float* sin, int pairs)
    {
        for (var i = 0; i < pairs; i += Simd.Lanes / 2)
        {
            var count = pairs - i;
            var x = RowMath.Load(head + 2 * i, 2 * count);
            var c = Vector512.Shuffle(RowMath.Load(cos + i, Math.Min(count, Simd.Lanes / 2)), Twice);
            var s = Vector512.Shuffle(RowMath.Load(sin + i, Math.Min(count, Simd.Lanes / 2)), Twice) * Signs;
            RowMath.Store(x * c + Vector512.Shuffle(x, Swapped) * s, head + 2 * i, 2 * count);
        }
    }

    /// <summary>Pairs (i, i + half).</summary>
    public static void Invoke(float* head, float* cos, float* sin, int half)
    {
        for (var i = 0; i < half; i += Simd.Lanes)
        {
            var count = half - i;
            var (a, b) = (RowMath.Load(head + i, count), RowMath.Load(head + half + i, count));
            var (c, s) = (RowMath.Load(cos + i, count), RowMath.Load(sin + i, count));
            RowMath.Store(a * c - b * s, head + i, count);
            RowMath.Store(b * c + a * s, head + half + i, count);
        }
    }

    /// <summary>The angle is a float32 product, as in the reference implementations; its cosine is then taken in double.</summary>
    public static void Angles(int position, RopeFrequencies frequencies, float* cos, float* sin)
    {
        var angles = frequencies.Angles;
        for (var i = 0; i < angles.Length; i++)
        {
            var (s, c) = Math.SinCos(position * angles[i]);
            (cos[i], sin[i]) = ((float)c * frequencies.Scale, (float)s * frequencies.Scale);
        }
    }

    /// <summary>The same, each pair by the position of its axis.</summary>
    public static void Angles(TokenPosition position, RopeAxes axes, RopeFrequencies frequencies, float* cos, float* sin)
    {
        var angles = frequencies.Angles;
        for (var i = 0; i < angles.Length; i++)
        {
            var along = axes.OfPair[i] switch { 0 => position.Time, 1 => position.Row, _ => position.Column };
            var (s, c) = Math.SinCos(along * angles[i]);
            (cos[i], sin[i]) = ((float)c * frequencies.Scale, (float)s * frequencies.Scale);
        }
    }

    internal static void Reference(ReadOnlySpan<float> head, int position, RopeFrequencies frequencies, Span<double> into, RopePairing pairing = RopePairing.Halves)
    {
        var half = head.Length / 2;
        for (var i = 0; i < half; i++)
        {
            var (a, b) = pairing == RopePairing.Halves ? (i, half + i) : (2 * i, 2 * i + 1);
            var (sin, cos) = Math.SinCos((double)(position * frequencies.Angles[i]));
            into[a] = (head[a] * cos - head[b] * sin) * frequencies.Scale;
            into[b] = (head[b] * cos + head[a] * sin) * frequencies.Scale;
        }
    }

    internal readonly struct Work(Tensor x, int headDim, int start, RopePairing pairing, Tensor cos, Tensor sin, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * rowsPerItem, x.Rows);
            for (var row = item * rowsPerItem; row < end; row++)
            {
                for (var column = start; column < x.Columns; column += headDim)
                {
                    if (pairing == RopePairing.Halves) Invoke(x.Row(row) + column, cos.Row(row), sin.Row(row), cos.Columns);
                    else Neighbours(x.Row(row) + column, cos.Row(row), sin.Row(row), cos.Columns);
                }
            }
        }
    }
}
