using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class LatentKernelTests
{
    [Theory, InlineData(512, 64), InlineData(24, 16), InlineData(130, 3), InlineData(24, 0), InlineData(1, 1)]
    public void Rows_come_back_as_near_as_their_type_allows(int scaled, int plain)
    {
        var row = Numbers.Normal(scaled + plain, seed: 1, deviation: 3);
        var back = new float[scaled + plain];
        foreach (var type in (WeightType[])[WeightType.F32, WeightType.BF16, WeightType.E4M3])
        {
            var plane = CachedRows.Plane("latent", scaled, plain, blockSize: 16, type);
            using var memory = new NativeBuffer(plane.Bytes);
            var cache = new CachedRows(new((nint)memory.Address, plane.Bytes, 0, plane), scaled, plain);
            foreach (var slot in (int[])[0, 15])
            {
                fixed (float* from = row, to = back)
                {
                    RowCache.Write(from, cache, cache.Rows.Row(0, slot));
                    RowCache.Read(cache.Rows.Row(0, slot), cache, to);
                }
                for (var i = 0; i < row.Length; i++)
                {
                    var relative = type switch { WeightType.F32 => 0, WeightType.E4M3 when i < scaled => 1 / 16.0, _ => 1 / 256.0 };
                    Assert.Equal(row[i], back[i], relative * Math.Abs(row[i]) + (type == WeightType.E4M3 ? 1e-2 : 0));
                }
            }
        }
    }

    [Fact]
    public void A_row_of_a_published_model_takes_the_published_bytes()
    {
        Assert.Equal(656, CachedRows.Plane("latent", 512, 64, 64, WeightType.E4M3).Columns);
        Assert.Equal(132, CachedRows.Plane("index key", 128, 0, 64, WeightType.E4M3).Columns);
        Assert.Equal(64 * 1152, CachedRows.Plane("latent", 512, 64, 64, WeightType.BF16).Bytes);
        Assert.Equal((2 * 64 * 8 * 129, 2 * 64 * 8 * 256), (new KvGeometry(8, 128, 64, WeightType.E4M3).Bytes, new KvGeometry(8, 128, 64, WeightType.BF16).Bytes));
    }

    [Theory, InlineData(0f), InlineData(1e-30f), InlineData(448f), InlineData(449f), InlineData(896f), InlineData(3f), InlineData(1e30f)]
    public void A_scale_is_the_smallest_power_of_two_that_brings_a_tile_into_range(float largest)
    {
        var scale = Float8.Scale(largest);
        Assert.Equal(0u, BitConverter.SingleToUInt32Bits(scale) & 0x7fffff);
        Assert.True(largest / scale <= Float8.Max);
        Assert.True(scale < 2e-12 || largest / scale > Float8.Max / 2);
    }

    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity)]
    public void A_row_that_is_not_a_number_does_not_become_one(float value)
    {
        var plane = CachedRows.Plane("latent", 20, 0, 16, WeightType.E4M3);
        using var memory = new NativeBuffer(plane.Bytes);
        var cache = new CachedRows(new((nint)memory.Address, plane.Bytes, 0, plane), 20, 0);
        float[] row = [.. Enumerable.Repeat(1f, 19), value], back = new float[20];
        fixed (float* from = row, to = back)
        {
            RowCache.Write(from, cache, memory.Address);
            RowCache.Read(memory.Address, cache, to);
        }
        Assert.False(float.IsFinite(back[19]));
    }

    [Theory, InlineData(1, 1, 1, 1), InlineData(3, 5, 16, 24), InlineData(40, 12, 24, 3), InlineData(128, 64, 128, 2)]
    public void Groups_of_columns_meet_their_own_matrices(int groups, int rows, int columns, int tokens)
    {
        var stride = columns + 3;
        using var kernels = new CpuKernels(3);
        using NativeBuffer input = Numbers.Memory(tokens * groups * stride), output = Numbers.Memory(tokens * groups * rows), one = Numbers.Memory(tokens * rows);
        var x = Numbers.Tensor(input, tokens, groups * stride, Numbers.Normal(tokens * groups * stride, 1));
        var into = new Tensor((float*)output.Address, tokens, groups * rows);
        var matrices = Enumerable.Range(0, groups).Select(group =>
        {
            var matrix = kernels.CreateMatrix(rows, columns, WeightType.BF16);
            fixed (float* values = Numbers.Normal(rows * columns, group + 2)) matrix.Write(0, rows, values, WeightType.F32);
            return matrix;
        }).ToArray();
        kernels.GroupLinear(x, stride, matrices, into);
        for (var group = 0; group < groups; group++)
        {
            var expected = new Tensor((float*)one.Address, tokens, rows);
            kernels.Linear(x.Slice(group * stride, columns), matrices[group], expected);
            for (var t = 0; t < tokens; t++) Assert.Equal(expected.RowSpan(t), into.RowSpan(t).Slice(group * rows, rows));
            matrices[group].Dispose();
        }
    }

    [Theory, InlineData(1), InlineData(15), InlineData(24), InlineData(128), InlineData(130)]
    public void Layer_norm_agrees_with_its_reference(int width)
    {
        float[] x = [.. Numbers.Normal(3 * width, 1).Select(value => value + 5)], weight = Numbers.Normal(width, 2), bias = Numbers.Normal(width, 3);
        using var kernels = new CpuKernels(2);
        using NativeBuffer memory = Numbers.Memory(x.Length), parameters = Numbers.Memory(2 * width);
        var tensor = Numbers.Tensor(memory, 3, width, x);
        weight.CopyTo(new Span<float>(parameters.Address, width));
        bias.CopyTo(new Span<float>((float*)parameters.Address + width, width));
        kernels.LayerNorm(tensor, new((float*)parameters.Address, 1, width), new((float*)parameters.Address + width, 1, width), 1e-6f, into: tensor);
        var expected = new double[width];
        for (var row = 0; row < 3; row++)
        {
            LayerNorm.Reference(x.AsSpan(row * width, width), weight, bias, 1e-6, expected);
            for (var i = 0; i < width; i++) Assert.Equal(expected[i], tensor.RowSpan(row)[i], width == 1 ? 1e-3 : 2e-5);
        }
    }
}
