using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>y = gate / (1 + e^-gate) · up</summary>
internal static unsafe class SiluMul
{
    public static void Invoke(float* gate, float* up, int width, float* y)
    {
        var i = 0;
        for (; i + Simd.Lanes <= width; i += Simd.Lanes) Silu(Vector512.Load(gate + i), Vector512.Load(up + i)).Store(y + i);
        if (i < width) RowMath.Store(Silu(RowMath.Load(gate + i, width - i), RowMath.Load(up + i, width - i)), y + i, width - i);
    }

    internal static double Reference(double gate, double up) => gate / (1 + Math.Exp(-gate)) * up;

    private static Vector512<float> Silu(Vector512<float> gate, Vector512<float> up) => gate / (Vector512<float>.One + Exp.Invoke(-gate)) * up;

    internal readonly struct Work(Tensor gate, Tensor up, Tensor into, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * rowsPerItem, gate.Rows);
            for (var row = item * rowsPerItem; row < end; row++) Invoke(gate.Row(row), up.Row(row), gate.Columns, into.Row(row));
        }
    }
}
