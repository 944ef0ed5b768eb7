using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class LatentAttentionTests
{
    [Theory]
    [InlineData(1, 16, 8, 16, 1)]
    [InlineData(3, 24, 16, 16, 33)]
    [InlineData(4, 40, 2, 64, 70)]
    [InlineData(16, 130, 6, 32, 129)]
    [InlineData(33, 32, 16, 16, 65)]
    [InlineData(64, 64, 16, 128, 140)]
    [InlineData(128, 512, 64, 64, 67)]
    public void Agrees_with_the_reference(int heads, int latent, int rotary, int blockSize, int length)
    {
        foreach (var (type, tolerance) in ((WeightType, double)[])[(WeightType.F32, 1e-5), (WeightType.BF16, 0.03), (WeightType.E4M3, 0.4)])
        {
            using var problem = new Problem(heads, latent, rotary, blockSize, length, type);
            foreach (var cached in (int[])[0, length / 3, length - 1])
            {
                var actual = problem.Attend(chunks: [cached, length - cached]);
                for (var token = cached; token < length; token += Math.Max(1, length / 5))
                {
                    for (var head = 0; head < heads; head += Math.Max(1, heads / 7))
                    {
                        var expected = problem.Reference(token, head, [.. Enumerable.Range(0, token + 1)]);
                        for (var d = 0; d < latent; d++) Assert.Equal(expected[d], actual[(token * heads + head) * latent + d], tolerance);
                    }
                }
            }
        }
    }

    [Theory, InlineData(3, 1), InlineData(5, 7), InlineData(40, 3)]
    public void Chosen_positions_and_no_others_are_attended_to(int heads, int step)
    {
        const int Length = 200;
        using var problem = new Problem(heads, 24, 16, 16, Length, WeightType.F32);
        var actual = problem.Attend([Length], token => [.. Enumerable.Range(0, token + 1).Where(position => (position + token) % step == 0)], most: Length);
        for (var token = 0; token < Length; token += 13)
        {
            for (var head = 0; head < heads; head++)
            {
                var expected = problem.Reference(token, head, [.. Enumerable.Range(0, token + 1).Where(position => (position + token) % step == 0)]);
                for (var d = 0; d < 24; d++) Assert.Equal(expected[d], actual[(token * heads + head) * 24 + d], 1e-5);
            }
        }
    }

    [Theory, InlineData(3), InlineData(32), InlineData(70)]
    public void Choosing_all_positions_gives_the_bits_of_choosing_none(int heads)
    {
        const int Length = 150;
        using var problem = new Problem(heads, 40, 8, 32, Length, WeightType.F32);
        Assert.Equal(problem.Attend([Length]), problem.Attend([Length], token => [.. Enumerable.Range(0, token + 1)], most: Length));
    }

    [Theory, InlineData(1), InlineData(3), InlineData(33)]
    public void Chunk_boundaries_change_no_bit(int heads)
    {
        const int Length = 210;
        foreach (var type in (WeightType[])[WeightType.F32, WeightType.BF16, WeightType.E4M3])
        {
            using var problem = new Problem(heads, 24, 16, 16, Length, type);
            var whole = problem.Attend([Length]);
            Assert.Equal(whole, problem.Attend([1, 62, 1, 1, 1, 7, 64, 64, 9]));
            Assert.Equal(whole, problem.Attend([.. Enumerable.Repeat(1, Length)]));
        }
    }

    private sealed class Problem : IDisposable
    {
        private readonly CpuKernels _kernels = new(threads: 2);
        private readonly Workspace _workspace = new();
        private readonly NativeBuffer _pool, _inputs, _output;
        private readonly int _heads, _latent, _rotary, _length, _headDim, _blockSize;
        private readonly CachedRows _cache;
        private readonly float[] _absorbed, _q, _rows;
        private readonly int[] _blocks;

        public Problem(int heads, int latent, int rotary, int blockSize, int length, WeightType type)
        {
            (_heads, _latent, _rotary, _length, _headDim, _blockSize) = (heads, latent, rotary, length, rotary + 3, blockSize);
            var plane = CachedRows.Plane("latent", latent, rotary, blockSize, type);
            var geometry = new CacheGeometry(blockSize, [plane, plane]);
            var count = (length + blockSize - 1) / blockSize;
            _blocks = [.. Enumerable.Range(0, count).Select(i => 2 * (count - 1 - i) + 1)];
            _pool = new NativeBuffer(2 * count * geometry.BlockBytes);
            new Span<byte>(_pool.Address, (int)_pool.Bytes).Fill(0xff);                          // NaN: what is not seen must not count
            _cache = new(new((nint)_pool.Address, geometry.BlockBytes, geometry.Offset(1), plane), latent, rotary);
            (_absorbed, _q, _rows) = (Numbers.Normal(length * heads * latent, 1), Numbers.Normal(length * heads * _headDim, 2), Numbers.Normal(length * (latent + rotary), 3));
            _inputs = Numbers.Memory(_absorbed.Length + _q.Length + _rows.Length);
            _output = Numbers.Memory(_absorbed.Length);
        }

        private float Scale => 1 / MathF.Sqrt(_latent + _rotary);

        public double[] Reference(int token, int head, int[] positions)
        {
            var q = _absorbed.AsSpan((token * _heads + head) * _latent, _latent).ToArray().Concat(_q.AsSpan((token * _heads + head) * _headDim + 3, _rotary).ToArray()).ToArray();
            float[][] rows = [.. positions.Select(position => _rows.AsSpan(position * (_latent + _rotary), _latent + _rotary).ToArray())];
            return PagedAttention.Reference(q, rows, rows, Scale);
        }

        public float[] Attend(int[] chunks, Func<int, int[]>? chosen = null, int most = 0)
        {
            foreach (var (step, done, chunk) in Chunks.Steps(chunks, _blocks, _blockSize, _length))
            {
                using var frame = _workspace.Enter();
                Selection? selection = null;
                if (chosen is not null)
                {
                    var made = frame.Selection(chunk, most);
                    for (var i = 0; i < chunk; i++)
                    {
                        var positions = chosen(done + i);
                        made.Count(i) = positions.Length;
                        positions.CopyTo(new Span<int>(made.Positions(i), most));
                    }
                    selection = made;
                }
                _kernels.StoreRows(Numbers.Part(_inputs, _rows, _absorbed.Length + _q.Length, _latent + _rotary, done, chunk), step, _cache);
                _kernels.LatentAttention(
                    Numbers.Part(_inputs, _absorbed, 0, _heads * _latent, done, chunk), Numbers.Part(_inputs, _q, _absorbed.Length, _heads * _headDim, done, chunk), step, _cache, Scale, selection,
                    new((float*)_output.Address + (long)done * _heads * _latent, chunk, _heads * _latent));
            }
            return new ReadOnlySpan<float>(_output.Address, _absorbed.Length).ToArray();
        }

        public void Dispose()
        {
            _kernels.Dispose();
            _workspace.Dispose();
            _pool.Dispose();
            _inputs.Dispose();
            _output.Dispose();
        }
    }
}
