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
}
