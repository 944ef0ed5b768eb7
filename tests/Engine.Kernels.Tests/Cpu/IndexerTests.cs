using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class IndexerTests
{
    [Theory]
    [InlineData(1, 8, 5, 4)]
    [InlineData(16, 24, 150, 16)]
    [InlineData(33, 32, 1100, 64)]
    [InlineData(64, 128, 200, 199)]
    [InlineData(5, 20, 40, 40)]
    public void The_best_by_the_reference_are_chosen_whatever_the_chunks(int heads, int dim, int length, int most)
    {
        const int BlockSize = 16;
        var (q, weights, keys) = (Numbers.Normal(length * heads * dim, 1), Numbers.Normal(length * heads, 2), Numbers.Normal(length * dim, 3));
        foreach (var chunks in (int[][])[[length], [length - 1, 1], [.. Enumerable.Repeat(7, length / 7), length % 7]])
        {
            using var kernels = new CpuKernels(3);
            using var workspace = new Workspace();
            var plane = CachedRows.Plane("index key", dim, 0, BlockSize, WeightType.F32);
            var count = (length + BlockSize - 1) / BlockSize;
            using var pool = new NativeBuffer(count * plane.Bytes);
            var cache = new CachedRows(new((nint)pool.Address, plane.Bytes, 0, plane), dim, 0);
            var (step, batch, done) = (new StepInput(), new StepBatch(), 0);
            foreach (var chunk in chunks.Where(chunk => chunk > 0))
            {
                batch.Clear();
                for (var i = 0; i < chunk; i++)
                {
                    batch.Tokens.Add(0);
                    batch.Positions.Add(done + i);
                }
                batch.Sequences.Add(new(0, chunk, done + chunk, [.. Enumerable.Range(0, count).Reverse()], NeedsLogits: false));
                step.Fill(batch, 1, BlockSize, count, length);
                using var frame = workspace.Enter();
                var chosen = frame.Selection(chunk, most);
                kernels.StoreRows(Copy(frame, keys, dim, done, chunk), step, cache);
                kernels.ChoosePositions(Copy(frame, q, heads * dim, done, chunk), Copy(frame, weights, heads, done, chunk), step, new EntryCache(cache, BlockSize, Ratio: 1), chosen);
                for (var i = 0; i < chunk; i += Math.Max(1, length / 20)) Check(done + i, new(chosen.Positions(i), chosen.Count(i)));
                done += chunk;
            }
        }

        static Tensor Copy(Workspace.Frame frame, float[] values, int width, int row, int rows)
        {
            var tensor = frame.Tensor(rows, width);
            for (var r = 0; r < rows; r++) values.AsSpan((row + r) * width, width).CopyTo(tensor.RowSpan(r));
            return tensor;
        }

        void Check(int token, ReadOnlySpan<int> chosen)
        {
            Assert.Equal(Math.Min(token + 1, most), chosen.Length);
            for (var i = 1; i < chosen.Length; i++) Assert.True(chosen[i] > chosen[i - 1]);
            float[][] query = [.. Enumerable.Range(0, heads).Select(head => q.AsSpan((token * heads + head) * dim, dim).ToArray())];
            var scores = Enumerable.Range(0, token + 1).Select(position => Indexer.Reference(query, weights.AsSpan(token * heads, heads), keys.AsSpan(position * dim, dim))).ToArray();
            var picked = chosen.ToArray().ToHashSet();
            var worst = picked.Min(position => scores[position]);
            Assert.All(Enumerable.Range(0, token + 1).Where(position => !picked.Contains(position)), position => Assert.True(scores[position] <= worst + 1e-3, $"position {position} of token {token} is missing"));
        }
    }

    [Theory]
    [InlineData(new float[] { 3, 1, 3, 2, 3 }, 2, new[] { 0, 2 })]
    [InlineData(new float[] { 0, -0f, 0, -0f, 1 }, 3, new[] { 0, 1, 4 })]
    [InlineData(new float[] { -1, -2, -1, -3 }, 1, new[] { 0 })]
    [InlineData(new float[] { -1, float.NegativeInfinity, 5e-40f, -5e-40f, 0 }, 2, new[] { 2, 4 })]
    [InlineData(new float[] { float.NaN, 1, float.PositiveInfinity, 2 }, 2, new[] { 0, 2 })]
    [InlineData(new float[] { 7, 7, 7, 7, 7 }, 4, new[] { 0, 1, 2, 3 })]
    public void Equal_scores_go_to_the_lowest_positions(float[] scores, int most, int[] expected)
    {
        var found = new int[most];
        fixed (float* from = scores)
        fixed (int* into = found) Indexer.Highest(from, scores.Length, most, into);
        Assert.Equal(expected, found);
    }

    [Fact]
    public void Any_number_of_scores_is_sorted_out_as_by_sorting()
    {
        var random = new Random(5);
        for (var round = 0; round < 200; round++)
        {
            var scores = Enumerable.Range(0, random.Next(2, 400)).Select(_ => MathF.Round((float)(random.NextDouble() - 0.5) * 40) / 8).ToArray();
            var most = random.Next(1, scores.Length);
            var expected = Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).ThenBy(i => i).Take(most).Order();
            var found = new int[most];
            fixed (float* from = scores)
            fixed (int* into = found) Indexer.Highest(from, scores.Length, most, into);
            Assert.Equal(expected, found);
        }
    }
}
