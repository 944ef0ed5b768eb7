using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class PagedAttentionTests
{
    [Theory]
    [InlineData(1, 1, 16, 16, 1)]
    [InlineData(2, 1, 16, 16, 17)]
    [InlineData(4, 2, 32, 64, 33)]
    [InlineData(6, 2, 48, 32, 70)]
    [InlineData(10, 2, 64, 64, 255)]
    [InlineData(8, 1, 128, 128, 257)]
    [InlineData(32, 2, 128, 256, 130)]
    [InlineData(4, 4, 80, 16, 600)]
    [InlineData(5, 5, 24, 32, 300)]
    [InlineData(7, 1, 6, 16, 40)]
    [InlineData(3, 3, 50, 64, 70)]
    public void Agrees_with_the_reference(int heads, int kvHeads, int dim, int blockSize, int length)
    {
        foreach (var (type, tolerance) in ((WeightType, double)[])[(WeightType.F32, 1e-5), (WeightType.BF16, 0.02), (WeightType.E4M3, 0.3)])
        {
            foreach (var cached in (int[])[0, length / 3, length - 1])
            {
                using var problem = new Problem(heads, kvHeads, dim, blockSize, length, type);
                var (actual, scale) = (problem.Attend(chunks: [cached, length - cached]), 1 / Math.Sqrt(dim));
                for (var token = 0; token < length; token += Math.Max(1, length / 7))
                {
                    for (var head = 0; head < heads; head++)
                    {
                        var kvHead = head / (heads / kvHeads);
                        var expected = PagedAttention.Reference(problem.Query(token, head), problem.Keys(kvHead, token + 1), problem.Values(kvHead, token + 1), scale);
                        for (var d = 0; d < dim; d++) Assert.Equal(expected[d], actual[(token * heads + head) * dim + d], tolerance);
                    }
                }
            }
        }
    }

    [Theory, InlineData(7, 1), InlineData(4, 2), InlineData(3, 1)]
    public void Chunk_boundaries_change_no_bit(int heads, int kvHeads)
    {
        const int Length = 530;
        using var problem = new Problem(heads, kvHeads, dim: 32, blockSize: 16, Length, WeightType.F32);
        var whole = problem.Attend([Length]);
        Assert.Equal(whole, problem.Attend([1, 254, 1, 1, 1, 7, 64, 64, 137]));
        Assert.Equal(whole, problem.Attend([.. Enumerable.Repeat(1, Length)]));
    }

    private sealed class Problem : IDisposable
    {
        private readonly CpuKernels _kernels = new(threads: 2);
        private readonly NativeBuffer _pool, _inputs, _output;
        private readonly int _heads, _kvHeads, _dim, _length;
        private readonly LayerKv _kv;
        private readonly KvGeometry _geometry;
        private readonly float[] _q, _k, _v;
        private readonly int[] _blocks;

        public Problem(int heads, int kvHeads, int dim, int blockSize, int length, WeightType type)
        {
            (_heads, _kvHeads, _dim, _length) = (heads, kvHeads, dim, length);
            _geometry = new KvGeometry(kvHeads, dim, blockSize, type);
            var cache = new CacheGeometry(blockSize, [_geometry, _geometry]);
            var count = (length + blockSize - 1) / blockSize;
            _blocks = [.. Enumerable.Range(0, count).Select(i => 2 * (count - 1 - i) + 1)];
            _pool = new NativeBuffer(2 * count * cache.BlockBytes);
            new Span<byte>(_pool.Address, (int)_pool.Bytes).Fill(0xff);
            _kv = _geometry.At((nint)_pool.Address, cache.BlockBytes, cache.Offset(1));
            (_q, _k, _v) = (Numbers.Normal(length * heads * dim, 1, deviation: 2), Numbers.Normal(length * kvHeads * dim, 2), Numbers.Normal(length * kvHeads * dim, 3));
            _inputs = Numbers.Memory(_q.Length + _k.Length + _v.Length);
            _output = Numbers.Memory(_q.Length);
        }

        public ReadOnlySpan<float> Query(int token, int head) => _q.AsSpan((token * _heads + head) * _dim, _dim);
        public float[][] Keys(int head, int count) => Rows(_k, head, count);
        public float[][] Values(int head, int count) => Rows(_v, head, count);

        public float[] Attend(int[] chunks)
        {
            foreach (var (step, done, chunk) in Chunks.Steps(chunks, _blocks, _geometry.BlockSize, _length))
            {
                var q = Numbers.Part(_inputs, _q, 0, _heads * _dim, done, chunk);
                var k = Numbers.Part(_inputs, _k, _q.Length, _kvHeads * _dim, done, chunk);
                var v = Numbers.Part(_inputs, _v, _q.Length + _k.Length, _kvHeads * _dim, done, chunk);
                _kernels.StoreKv(k, v, step, _kv);
                _kernels.PagedAttention(q, step, _kv, 1 / MathF.Sqrt(_dim), new((float*)_output.Address + done * _heads * _dim, chunk, _heads * _dim));
            }
            return new ReadOnlySpan<float>(_output.Address, _q.Length).ToArray();
        }

        public void Dispose()
        {
            _kernels.Dispose();
            _pool.Dispose();
            _inputs.Dispose();
            _output.Dispose();
        }

        private float[][] Rows(float[] values, int head, int count) =>
            [.. Enumerable.Range(0, count).Select(token => values.AsSpan((token * _kvHeads + head) * _dim, _dim).ToArray())];
    }
}
