namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>(a, b) → (a·cos − b·sin, b·cos + a·sin) for the neighbours (2i, 2i + 1) of a head's last columns.</summary>
internal static unsafe class RopeTail
{
    /// <param name="tail">The columns to rotate, 2 × <paramref name="pairs"/>.</param>
    /// <param name="sign">−1: by the opposite angle.</param>
    public static void Invoke(float* tail, float* cos, float* sin, int pairs, float sign)
    {
        for (var i = 0; i < pairs; i++)
        {
            var (a, b, c, s) = (tail[2 * i], tail[2 * i + 1], cos[i], sign * sin[i]);
            tail[2 * i] = a * c - b * s;
            tail[2 * i + 1] = b * c + a * s;
        }
    }

    internal readonly struct Work(Tensor x, int headDim, Tensor cos, Tensor sin, bool inverse, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var (pairs, sign) = (cos.Columns, inverse ? -1f : 1f);
            var end = Math.Min((item + 1) * rowsPerItem, x.Rows);
            for (var row = item * rowsPerItem; row < end; row++)
                for (var column = headDim - 2 * pairs; column < x.Columns; column += headDim) Invoke(x.Row(row) + column, cos.Row(row), sin.Row(row), pairs, sign);
        }
    }
}
