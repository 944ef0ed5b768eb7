namespace NanoAspire.Engine.Kernels.Tests.Cpu;

/// <summary>Seeded test numbers, and tensors over native memory.</summary>
internal static unsafe class Numbers
{
    public static float[] Normal(int count, int seed, double deviation = 1)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }

    public static Tensor Tensor(NativeBuffer memory, int rows, int columns, ReadOnlySpan<float> values)
    {
        values.CopyTo(new(memory.Address, rows * columns));
        return new((float*)memory.Address, rows, columns);
    }

    public static NativeBuffer Memory(long floats) => new(floats * sizeof(float));

    public static float[] ToArray(this Tensor tensor)
    {
        var values = new float[tensor.Rows * tensor.Columns];
        for (var row = 0; row < tensor.Rows; row++) tensor.RowSpan(row).CopyTo(values.AsSpan(row * tensor.Columns));
        return values;
    }

    /// <summary>Rows [row, row + rows) of <paramref name="values"/>, copied to their place behind <paramref name="offset"/> floats of <paramref name="memory"/>.</summary>
    public static Tensor Part(NativeBuffer memory, float[] values, int offset, int width, int row, int rows)
    {
        var to = (float*)memory.Address + offset + row * width;
        values.AsSpan(row * width, rows * width).CopyTo(new(to, rows * width));
        return new(to, rows, width);
    }
}
