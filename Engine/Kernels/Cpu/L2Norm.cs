using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>y = x · (Σx² + ε)^-½ · scale. The sum is 16 chains (column mod 16), then a fixed tree.</summary>
internal static unsafe class L2Norm
{
    public static void Invoke(float* x, int width, float epsilon, float scale)
    {
        var squares = Vector512<float>.Zero;
        for (var i = 0; i < width; i += Simd.Lanes)
        {
            var v = RowMath.Load(x + i, width - i);
            squares = Vector512.FusedMultiplyAdd(v, v, squares);
        }
        var factor = Vector512.Create(1 / MathF.Sqrt(RowMath.Sum(squares) + epsilon) * scale);
        for (var i = 0; i < width; i += Simd.Lanes) RowMath.Store(RowMath.Load(x + i, width - i) * factor, x + i, width - i);
    }

    internal static double[] Reference(ReadOnlySpan<float> x, double epsilon, double scale)
    {
        double squares = 0;
        foreach (var v in x) squares += (double)v * v;
        var y = new double[x.Length];
        for (var i = 0; i < y.Length; i++) y[i] = x[i] / Math.Sqrt(squares + epsilon) * scale;
        return y;
    }

    internal readonly struct Work(Tensor x, int width, float epsilon, float scale, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * rowsPerItem, x.Rows);
            for (var row = item * rowsPerItem; row < end; row++)
                for (var column = 0; column < x.Columns; column += width) Invoke(x.Row(row) + column, width, epsilon, scale);
        }
    }
}
