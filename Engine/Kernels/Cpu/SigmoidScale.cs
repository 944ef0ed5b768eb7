using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>x *= 1 / (1 + e^-gate), with a gate for every element or one for the row.</summary>
internal static unsafe class SigmoidScale
{
    internal readonly struct Work(Tensor gate, Tensor x, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * rowsPerItem, x.Rows);
            for (var row = item * rowsPerItem; row < end; row++)
            {
                float* g = gate.Row(row), y = x.Row(row);
                var whole = Sigmoid(Vector512.Create(*g));
                for (var i = 0; i < x.Columns; i += Simd.Lanes)
                {
                    var factor = gate.Columns == 1 ? whole : Sigmoid(RowMath.Load(g + i, x.Columns - i));
                    RowMath.Store(RowMath.Load(y + i, x.Columns - i) * factor, y + i, x.Columns - i);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Exp.Invoke(-x));
}
