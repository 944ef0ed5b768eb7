using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>y = gate / (1 + e^-gate) · up, with gate and up held within a limit where the family has one.</summary>
internal static unsafe class SiluMul
{
    public static void Invoke(float* gate, float* up, int width, float* y, float limit = float.PositiveInfinity)
    {
        var i = 0;
        for (; i + Simd.Lanes <= width; i += Simd.Lanes) Silu(Vector512.Load(gate + i), Vector512.Load(up + i), limit).Store(y + i);
        if (i < width) RowMath.Store(Silu(RowMath.Load(gate + i, width - i), RowMath.Load(up + i, width - i), limit), y + i, width - i);
    }

    internal static double Reference(double gate, double up, double limit = double.PositiveInfinity)
    {
        (gate, up) = (Math.Min(gate, limit), Math.Clamp(up, -limit, limit));
        return gate / (1 + Math.Exp(-gate)) * up;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Silu(Vector512<float> gate, Vector512<float> up, float limit)
    {
        var bound = Vector512.Create(limit);
        (gate, up) = (Vector512.Min(gate, bound), Vector512.Min(Vector512.Max(up, -bound), bound));   // NaN stays NaN
        return gate / (Vector512<float>.One + Exp.Invoke(-gate)) * up;
    }

    internal readonly struct Work(Tensor gate, Tensor up, float limit, Tensor into, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * rowsPerItem, gate.Rows);
            for (var row = item * rowsPerItem; row < end; row++) Invoke(gate.Row(row), up.Row(row), gate.Columns, into.Row(row), limit);
        }
    }
}
