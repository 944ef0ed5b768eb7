using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>Rows between their token and their expert.</summary>
internal static unsafe class ExpertRows
{
    internal readonly struct Gather(Tensor x, ExpertRoutes routes, Tensor into, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * rowsPerItem, into.Rows);
            for (var row = item * rowsPerItem; row < end; row++) x.RowSpan(routes.TokenOf[row]).CopyTo(into.RowSpan(row));
        }
    }

    /// <summary>y[t] += Σ w · x: the sum from 0, experts best first, added to what is there last.</summary>
    internal readonly struct Combine(Tensor x, ExpertRoutes routes, Tensor into, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * rowsPerItem, into.Rows);
            for (var t = item * rowsPerItem; t < end; t++)
            {
                var rows = routes.RowOf + t * routes.PerToken;
                float* weights = routes.Weights + t * routes.PerToken, y = into.Row(t);
                for (var i = 0; i < into.Columns; i += Simd.Lanes)
                {
                    var count = into.Columns - i;
                    var sum = Vector512<float>.Zero;
                    for (var rank = 0; rank < routes.PerToken; rank++)
                        sum = Vector512.FusedMultiplyAdd(Vector512.Create(weights[rank]), RowMath.Load(x.Row(rows[rank]) + i, count), sum);
                    RowMath.Store(RowMath.Load(y + i, count) + sum, y + i, count);
                }
            }
        }
    }
}
