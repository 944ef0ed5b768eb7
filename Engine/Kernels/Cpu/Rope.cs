namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>(a, b) → (a·cos − b·sin, b·cos + a·sin) for the pairs (i, i + d/2) of a head.</summary>
internal static unsafe class Rope
{
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

    internal static void Reference(ReadOnlySpan<float> head, int position, RopeFrequencies frequencies, Span<double> into)
    {
        var half = head.Length / 2;
        for (var i = 0; i < half; i++)
        {
            var (sin, cos) = Math.SinCos((double)(position * frequencies.Angles[i]));
            into[i] = (head[i] * cos - head[half + i] * sin) * frequencies.Scale;
            into[half + i] = (head[half + i] * cos + head[i] * sin) * frequencies.Scale;
        }
    }

    internal readonly struct Work(Tensor x, int headDim, Tensor cos, Tensor sin, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * rowsPerItem, x.Rows);
            for (var row = item * rowsPerItem; row < end; row++)
            {
                for (var column = 0; column < x.Columns; column += headDim) Invoke(x.Row(row) + column, cos.Row(row), sin.Row(row), cos.Columns);
            }
        }
    }
}
