using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>y = (x − mean) · (variance + ε)^-½ · weight + bias. Mean and variance are 16 chains (column mod 16), then a fixed tree.</summary>
internal static unsafe class LayerNorm
{
    public static void Invoke(float* x, float* weight, float* bias, int width, float epsilon, float* y)
    {
        var lanes = Vector512<float>.Zero;
        for (var i = 0; i < width; i += Simd.Lanes) lanes += RowMath.Load(x + i, width - i);
        var mean = RowMath.Sum(lanes) / width;
        lanes = default;
        for (var i = 0; i < width; i += Simd.Lanes)
        {
            var centred = RowMath.Load(x + i, width - i, fill: mean) - Vector512.Create(mean);
            lanes += centred * centred;
        }
        var scale = 1 / MathF.Sqrt(RowMath.Sum(lanes) / width + epsilon);
        for (var i = 0; i < width; i++) y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
    }

    internal static void Reference(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, double epsilon, Span<double> y)
    {
        double mean = 0, variance = 0;
        foreach (var v in x) mean += (double)v / x.Length;
        foreach (var v in x) variance += (v - mean) * (v - mean) / x.Length;
        for (var i = 0; i < x.Length; i++) y[i] = (x[i] - mean) / Math.Sqrt(variance + epsilon) * weight[i] + bias[i];
    }

    internal readonly struct Work(Tensor x, Tensor weight, Tensor bias, float epsilon, Tensor into, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            for (var row = item * rowsPerItem; row < Math.Min((item + 1) * rowsPerItem, x.Rows); row++)
                Invoke(x.Row(row), weight.Data, bias.Data, x.Columns, epsilon, into.Row(row));
        }
    }
}
