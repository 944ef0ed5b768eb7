using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>y = x · (mean(x²) + ε)^-½. Sums as in <see cref="RmsNorm"/>.</summary>
internal static unsafe class UnweightedNorm
{
    public static void Invoke(float* x, int width, float epsilon, float* y)
    {
        var squares = Vector512<float>.Zero;
        for (var i = 0; i < width; i += Simd.Lanes)
        {
            var v = RowMath.Load(x + i, width - i);
            squares = Vector512.FusedMultiplyAdd(v, v, squares);
        }
        var scale = Vector512.Create(1 / MathF.Sqrt(RowMath.Sum(squares) / width + epsilon));
        for (var i = 0; i < width; i += Simd.Lanes) RowMath.Store(RowMath.Load(x + i, width - i) * scale, y + i, width - i);
    }

    internal readonly struct Work(Tensor x, int width, float epsilon, Tensor into, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * rowsPerItem, x.Rows);
            for (var row = item * rowsPerItem; row < end; row++)
                for (var column = 0; column < x.Columns; column += width) Invoke(x.Row(row) + column, width, epsilon, into.Row(row) + column);
        }
    }
}
