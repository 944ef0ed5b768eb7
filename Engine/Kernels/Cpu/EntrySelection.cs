using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Sampling;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// Which entries a token attends to. A score is Σ_j weight_j · max(0, q_j · key), heads ascending, inner products as in
/// <see cref="RowDots"/>; equal scores go to the earlier entry. Tokens are taken in batches that bound the memory of the scores.
/// </summary>
internal static unsafe class EntrySelection
{
    private const int EntriesPerItem = 256;
    private const long ScoresAtOnce = 4 << 20;

    public static Tensor Run(WorkerPool pool, Tensor q, Tensor weights, StepInput step, EntryCache keys, int count, Workspace.Frame frame)
    {
        var selected = frame.Tensor(step.TokenCount, count);
        var most = 0;
        foreach (var sequence in step.Sequences) most = Math.Max(most, keys.Visible(sequence.ContextLength - 1));
        if (most <= count) return selected;

        var batch = (int)Math.Clamp(ScoresAtOnce / most, 1, step.TokenCount);
        var columns = keys.Rows.Plane.Columns;
        var padded = (columns + Simd.Lanes - 1) / Simd.Lanes * Simd.Lanes;
        var heads = q.Columns / columns;
        var scores = frame.Tensor(batch, most);
        var scratch = frame.Tensor(pool.Threads, (heads + 1) * padded + heads);
        var chunks = (most + EntriesPerItem - 1) / EntriesPerItem;
        for (var first = 0; first < step.TokenCount; first += batch)
        {
            var tokens = Math.Min(batch, step.TokenCount - first);
            pool.Run(new ScoreWork(q, weights, step, keys, count, first, chunks, heads, padded, scores, scratch), tokens * chunks);
            pool.Run(new SelectWork(step, keys, count, first, scores, selected), tokens);
        }
        return selected;
    }

    internal static double Reference(float[][] q, float[] weights, float[] key) => q.Zip(weights, (head, weight) => weight * Math.Max(0, Linear.Reference(head, key))).Sum();

    private static int Visible(StepInput step, EntryCache keys, int token)
    {
        var sequence = step.Sequences[step.Owners[token]];
        return keys.Visible(sequence.ContextLength - sequence.QueryLength + token - sequence.QueryStart);
    }

    private readonly struct ScoreWork(
        Tensor q, Tensor weights, StepInput step, EntryCache keys, int count, int firstToken, int chunks, int heads, int padded, Tensor scores, Tensor scratch) : IWork
    {
        public void Run(int item, int worker)
        {
            var (index, first) = (item / chunks, item % chunks * EntriesPerItem);
            var token = firstToken + index;
            var visible = Visible(step, keys, token);
            if (visible <= count || first >= visible) return;
            var blocks = step.Blocks[step.Sequences[step.Owners[token]].FirstBlock..];
            var (columns, type) = (keys.Rows.Plane.Columns, keys.Rows.Plane.Type);
            float* queries = scratch.Row(worker), key = queries + heads * padded, dots = key + padded;
            for (var head = 0; head < heads; head++) RowStore.Read((byte*)(q.Row(token) + head * columns), queries + head * padded, columns, padded, WeightType.F32);
            for (var entry = first; entry < Math.Min(first + EntriesPerItem, visible); entry++)
            {
                RowStore.Read(keys.Row(blocks, entry), key, columns, padded, type);
                RowDots.Invoke(key, queries, padded, heads, dots, stride: 1);
                var score = 0f;
                for (var head = 0; head < heads; head++) score = MathF.FusedMultiplyAdd(weights.Row(token)[head], MathF.Max(0, dots[head]), score);
                scores.Row(index)[entry] = score;
            }
        }
    }

    private readonly struct SelectWork(StepInput step, EntryCache keys, int count, int firstToken, Tensor scores, Tensor selected) : IWork
    {
        public void Run(int item, int worker)
        {
            var visible = Visible(step, keys, firstToken + item);
            if (visible > count) TopK.Select(new(scores.Row(item), visible), new(selected.Row(firstToken + item), count));
        }
    }
}
