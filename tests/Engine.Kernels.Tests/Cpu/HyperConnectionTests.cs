using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class HyperConnectionTests
{
    private const int Rows = 5;
    private const float Epsilon = 1e-6f;

    [Theory, InlineData(1, 7, 1), InlineData(2, 16, 3), InlineData(4, 33, 20), InlineData(5, 100, 20)]
    public void Streams_collapse_and_expand_as_the_reference(int streams, int width, int iterations)
    {
        using var kernels = new CpuKernels(threads: 2);
        var outputs = (2 + streams) * streams;
        var (x, logits) = (Numbers.Normal(Rows * streams * width, 1), Numbers.Normal(Rows * outputs, 2, deviation: 2));
        var (offset, scale, layer) = (Numbers.Normal(outputs, 3), Numbers.Normal(3, 4), Numbers.Normal(Rows * width, 5));
        using NativeBuffer a = Numbers.Memory(x.Length), b = Numbers.Memory(logits.Length), c = Numbers.Memory(outputs), d = Numbers.Memory(3), e = Numbers.Memory(layer.Length), f = Numbers.Memory(layer.Length);
        var (stream, mix, into) = (Numbers.Tensor(a, Rows, streams * width, x), Numbers.Tensor(b, Rows, outputs, logits), new Tensor((float*)e.Address, Rows, width));
        var weights = new HyperWeights(streams, Numbers.Tensor(c, 1, outputs, offset), Numbers.Tensor(d, 1, 3, scale), Epsilon, iterations);
        kernels.HyperCollapse(stream, mix, weights, into);
        kernels.HyperExpand(Numbers.Tensor(f, Rows, width, layer), mix, stream);
        for (var row = 0; row < Rows; row++)
        {
            var expected = HyperConnection.Reference(logits[(row * outputs)..((row + 1) * outputs)], scale, offset, streams, Epsilon, iterations);
            for (var i = 0; i < outputs; i++) Assert.Equal(expected[i], mix.RowSpan(row)[i], 1e-5);
            for (var column = 0; column < width; column++)
            {
                double Old(int i) => x[(row * streams + i) * width + column];
                Assert.Equal(Enumerable.Range(0, streams).Sum(i => expected[i] * Old(i)), into.RowSpan(row)[column], 1e-4);
                for (var i = 0; i < streams; i++)
                {
                    var mixed = expected[streams + i] * layer[row * width + column] + Enumerable.Range(0, streams).Sum(j => expected[2 * streams + j * streams + i] * Old(j));
                    Assert.Equal(mixed, stream.RowSpan(row)[i * width + column], 1e-4);
                }
            }
        }
    }

    [Fact]
    public void The_last_connection_only_collapses()
    {
        using var kernels = new CpuKernels(threads: 1);
        using NativeBuffer a = Numbers.Memory(6), b = Numbers.Memory(2), c = Numbers.Memory(2), d = Numbers.Memory(1), e = Numbers.Memory(3);
        var (mix, into) = (Numbers.Tensor(b, 1, 2, [0, 1]), new Tensor((float*)e.Address, 1, 3));
        kernels.HyperCollapse(Numbers.Tensor(a, 1, 6, [1, 2, 3, 10, 20, 30]), mix, new(2, Numbers.Tensor(c, 1, 2, [0, -1]), Numbers.Tensor(d, 1, 1, [1]), Epsilon: 0, Iterations: 20), into);
        Assert.Equal([0.5f, 0.5f], mix.ToArray());
        Assert.Equal([5.5f, 11, 16.5f], into.ToArray());
    }

    [Theory, InlineData(1), InlineData(15), InlineData(16), InlineData(17), InlineData(100)]
    public void Unweighted_norm_agrees_with_the_weighted_one_of_ones(int width)
    {
        using var kernels = new CpuKernels(threads: 2);
        var x = Numbers.Normal(4 * 3 * width, 1);
        using NativeBuffer a = Numbers.Memory(x.Length), b = Numbers.Memory(x.Length);
        var (input, into) = (Numbers.Tensor(a, 4, 3 * width, x), new Tensor((float*)b.Address, 4, 3 * width));
        kernels.RmsNormUnweighted(input, width, Epsilon, into);
        var (ones, expected) = (Enumerable.Repeat(1f, width).ToArray(), new double[width]);
        for (var run = 0; run < 12; run++)
        {
            RmsNorm.Reference(x.AsSpan(run * width, width), ones, Epsilon, expected);
            for (var i = 0; i < width; i++) Assert.Equal(expected[i], into.Data[run * width + i], 1e-5);
        }
    }
}
