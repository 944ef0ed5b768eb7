using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>y = x · (mean(x²) + ε)^-½ · weight. The mean is 16 chains (column mod 16), then a fixed tree.</summary>
internal static unsafe class RmsNorm
{
    public static void Invoke(float* x, float* weight, int width, float epsilon, float* y)
    {
        var squares = Vector512<float>.Zero;
        var i = 0;
        for (; i + Simd.Lanes <= width; i += Simd.Lanes)
        {
            var v = Vector512.Load(x + i);
            squares = Vector512.FusedMultiplyAdd(v, v, squares);
        }
        if (i < width)
        {
            var v = RowMath.Load(x + i, width - i);
            squares = Vector512.FusedMultiplyAdd(v, v, squares);
        }
        var scale = Vector512.Create(1 / MathF.Sqrt(RowMath.Sum(squares) / width + epsilon));

        i = 0;
        for (; i + Simd.Lanes <= width; i += Simd.Lanes) (Vector512.Load(x + i) * scale * Vector512.Load(weight + i)).Store(y + i);
        if (i < width) RowMath.Store(RowMath.Load(x + i, width - i) * scale * RowMath.Load(weight + i, width - i), y + i, width - i);
    }

    internal static void Reference(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, double epsilon, Span<double> y)
    {
        double squares = 0;
        foreach (var v in x) squares += (double)v * v;
        for (var i = 0; i < x.Length; i++) y[i] = x[i] / Math.Sqrt(squares / x.Length + epsilon) * weight[i];
    }

    internal readonly struct Work(Tensor x, Tensor weight, float epsilon, Tensor into, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * rowsPerItem, x.Rows);
            for (var row = item * rowsPerItem; row < end; row++)
            {
                for (var column = 0; column < x.Columns; column += weight.Columns)
                    Invoke(x.Row(row) + column, weight.Data, weight.Columns, epsilon, into.Row(row) + column);
            }
        }
    }
}
