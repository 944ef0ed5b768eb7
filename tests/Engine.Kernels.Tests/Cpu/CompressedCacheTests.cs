using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

/// <summary>Entries and window over paged memory against plain arrays of everything.</summary>
public sealed unsafe class CompressedCacheTests
{
    [Theory]
    [InlineData(16, 4)]
    [InlineData(16, 128)]
    [InlineData(64, 128)]
    [InlineData(32, 7)]
    [InlineData(16, 100)]
    [InlineData(256, 1)]
    public void Every_entry_has_a_row_of_its_own_in_the_block_of_its_last_token(int blockSize, int ratio)
    {
        var rows = EntryCache.RowsPerBlock(blockSize, ratio);
        var plane = new RowPlane("entries", 1, rows, WeightType.F32);
        var cache = new EntryCache(new(new(0, plane.Bytes, 0, plane), 1, 0), blockSize, ratio);
        var blocks = Enumerable.Range(0, 2000 / blockSize + 1).ToArray();
        var seen = new HashSet<nint>();
        for (var position = 0; position < 2000; position++)
        {
            Assert.Equal((position + 1) / ratio, cache.Visible(position));
            if ((position + 1) % ratio != 0) continue;
            var address = (nint)cache.Row(blocks, position / ratio);
            Assert.True(seen.Add(address));
            Assert.Equal(position / blockSize, (int)(address / plane.Bytes));
            Assert.InRange(address % plane.Bytes / sizeof(float), 0, rows - 1);
        }
    }

    [Theory]
    [InlineData(16, 4, true, 8, 3)]
    [InlineData(16, 4, true, 20, 1000)]
    [InlineData(16, 32, false, 17, 5)]
    [InlineData(32, 7, false, 16, 50)]
    [InlineData(64, 128, false, 40, 70)]
    public void Entries_are_the_weighted_means_of_their_tokens_whatever_the_chunks(int blockSize, int ratio, bool overlap, int columns, int chunk)
    {
        const int Length = 300;
        using var problem = new Problem(blockSize, Length);
        var series = overlap ? 2 : 1;
        var (inputs, bias, norm) = (Numbers.Normal(Length * 2 * series * columns, 1), Numbers.Normal(ratio * series * columns, 2), Numbers.Normal(columns, 3));
        using NativeBuffer a = Numbers.Memory(inputs.Length), b = Numbers.Memory(bias.Length), c = Numbers.Memory(norm.Length);
        var compressor = new Compressor(ratio, columns, overlap, Numbers.Tensor(b, ratio, series * columns, bias), Numbers.Tensor(c, 1, columns, norm), 1e-6f, RopeFrequencies.Create(4, 10000, null));
        var entries = new EntryCache(new(problem.Rows(columns, EntryCache.RowsPerBlock(blockSize, ratio)), columns - 4, 4), blockSize, ratio);
        var ring = new InputRing(problem.Rows(2 * series * columns, InputRing.RowsPerBlock(blockSize, series * ratio)), blockSize);
        var all = Numbers.Tensor(a, Length, 2 * series * columns, inputs);
        for (var done = 0; done < Length; done += chunk)
        {
            using var frame = problem.Workspace.Enter();
            var count = Math.Min(chunk, Length - done);
            problem.Kernels.Compress(new(all.Row(done), count, all.Columns), compressor, problem.Step(done, count), ring, entries, frame);
        }

        for (var entry = 0; entry < Length / ratio; entry++)
        {
            var first = Math.Max(0, (overlap ? entry - 1 : entry) * ratio);
            var tokens = Enumerable.Range(first, (entry + 1) * ratio - first).ToArray();
            int Column(int token) => overlap && token >= entry * ratio ? columns : 0;
            float[] Values(int token) => all.RowSpan(token).Slice(Column(token), columns).ToArray();
            float[] Gates(int token) => [.. Enumerable.Range(Column(token), columns).Select(i => all.RowSpan(token)[series * columns + i] + bias[token % ratio * series * columns + i])];
            var pooled = EntryPooling.Reference([.. tokens.Select(Values)], [.. tokens.Select(Gates)]).Select(v => (float)v).ToArray();
            var expected = new double[columns];
            RmsNorm.Reference(pooled, norm, 1e-6, expected);
            Rope.Reference([.. expected[^4..].Select(v => (float)v)], entry * ratio, compressor.Rope, expected.AsSpan(columns - 4), RopePairing.Neighbours);
            var row = (float*)entries.Row(problem.Blocks, entry);
            for (var i = 0; i < columns; i++) Assert.Equal(expected[i], row[i], 1e-4);
        }
    }

    [Theory]
    [InlineData(1, 8, 16, 0, 5, 40)]
    [InlineData(3, 20, 16, 4, 24, 150)]
    [InlineData(9, 33, 32, 4, 300, 700)]
    [InlineData(8, 64, 64, 32, 1, 300)]
    public void Attention_agrees_with_the_reference(int heads, int columns, int blockSize, int ratio, int windowSize, int length)
    {
        using var problem = new Problem(blockSize, length);
        var (rows, means, queries, sinks) = (Numbers.Normal(length * columns, 1), Numbers.Normal(length * columns, 2), Numbers.Normal(length * heads * columns, 3), Numbers.Normal(heads, 4));
        using NativeBuffer a = Numbers.Memory(rows.Length), b = Numbers.Memory(queries.Length), c = Numbers.Memory(heads), d = Numbers.Memory(queries.Length);
        var (q, sink, into) = (Numbers.Tensor(b, length, heads * columns, queries), Numbers.Tensor(c, 1, heads, sinks), new Tensor((float*)d.Address, length, heads * columns));
        var window = new CachedRows(problem.Rows(columns, blockSize), columns, 0);
        EntryCache? entries = ratio == 0 ? null : new(new(problem.Rows(columns, EntryCache.RowsPerBlock(blockSize, ratio)), columns, 0), blockSize, ratio);
        for (var entry = 0; entry < (ratio == 0 ? 0 : length / ratio); entry++) means.AsSpan(entry * columns, columns).CopyTo(new(entries!.Value.Row(problem.Blocks, entry), columns));
        var (random, step, scale) = (new Random(5), problem.Step(0, length), 1 / Math.Sqrt(columns));
        problem.Kernels.StoreRows(Numbers.Tensor(a, length, columns, rows), step, window);

        foreach (var sparse in (bool[])[false, true])
        {
            if (sparse && ratio == 0) continue;
            using var frame = problem.Workspace.Enter();
            var chosen = frame.Selection(length, most: 6);
            for (var token = 0; token < length && sparse; token++)
            {
                var some = Enumerable.Range(0, entries!.Value.Visible(token)).OrderBy(_ => random.Next()).Take(6).Order().ToArray();
                chosen.Count(token) = some.Length;
                some.CopyTo(new Span<int>(chosen.Positions(token), 6));
            }
            problem.Kernels.WindowAttention(q, step, window, windowSize, entries, sparse ? chosen : null, sink, (float)scale, into, frame);
            for (var token = 0; token < length; token += Math.Max(1, length / 23))
            {
                var seen = Enumerable.Range(0, token + 1).Skip(token + 1 - windowSize).Select(t => rows.AsSpan(t * columns, columns).ToArray());
                if (entries is { } cache)
                {
                    var which = sparse ? new ReadOnlySpan<int>(chosen.Positions(token), chosen.Count(token)).ToArray() : [.. Enumerable.Range(0, cache.Visible(token))];
                    seen = seen.Concat(which.Select(entry => means.AsSpan(entry * columns, columns).ToArray()));
                }
                for (var head = 0; head < heads; head++)
                {
                    var expected = WindowAttention.Reference(q.RowSpan(token).Slice(head * columns, columns), [.. seen], sinks[head], scale);
                    for (var i = 0; i < columns; i++) Assert.Equal(expected[i], into.RowSpan(token)[head * columns + i], 1e-5);
                }
            }
        }
    }

    /// <summary>One sequence whose blocks lie scattered, in memory that holds NaN at first.</summary>
    private sealed class Problem(int blockSize, int length) : IDisposable
    {
        private readonly List<NativeBuffer> _memory = [];
        private readonly StepInput _step = new();

        public CpuKernels Kernels { get; } = new(threads: 2);
        public Workspace Workspace { get; } = new();
        public int[] Blocks { get; } = [.. Enumerable.Range(0, (length + blockSize - 1) / blockSize).Reverse()];

        public LayerRows Rows(int columns, int rowsPerBlock)
        {
            var plane = new RowPlane("test", columns, rowsPerBlock, WeightType.F32);
            var memory = new NativeBuffer(plane.Bytes * Blocks.Length);
            new Span<byte>(memory.Address, (int)memory.Bytes).Fill(0xff);
            _memory.Add(memory);
            return new((nint)memory.Address, plane.Bytes, Offset: 0, plane);
        }

        public StepInput Step(int done, int count)
        {
            var batch = new StepBatch();
            batch.Tokens.AddRange(Enumerable.Repeat(0, count));
            batch.Positions.AddRange(Enumerable.Range(done, count));
            batch.Sequences.Add(new(0, count, done + count, Blocks, NeedsLogits: false));
            _step.Fill(batch, vocabSize: 1, blockSize, Blocks.Length, length);
            return _step;
        }

        public void Dispose()
        {
            Kernels.Dispose();
            Workspace.Dispose();
            foreach (var memory in _memory) memory.Dispose();
        }
    }
}
