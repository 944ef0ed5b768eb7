using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// Attention over the rows of a window, then compressed entries, both in ascending order, with a sink per head; rows are keys and
/// values at once and shared by all heads. A token's rows are cut every <see cref="Split"/>, counted from its own first: scores
/// (16 chains by column, fixed tree), maximum, exponentials, their sum (16 chains, fixed tree), outputs (rows ascending). Splits are merged in order
/// into the sink, which is where sum and maximum start.
/// </summary>
internal static unsafe class WindowAttention
{
    private const int Split = 256;
    /// <summary>Heads that share a copy of the rows.</summary>
    private const int HeadsPerItem = Tile.MaxRows;

    public static void Run(
        WorkerPool pool, Tensor q, StepInput step, CachedRows window, int windowSize, EntryCache? entries, Selection? chosen, Tensor sinks, float scale, Tensor into, Workspace.Frame frame)
    {
        var padded = (window.Columns + Tile.Columns - 1) / Tile.Columns * Tile.Columns;
        var scratch = frame.Tensor(pool.Threads, (Split + 3 * HeadsPerItem) * padded + HeadsPerItem * Split);
        var groups = (sinks.Columns + HeadsPerItem - 1) / HeadsPerItem;
        pool.Run(new Work(q, step, window, windowSize, entries, chosen, sinks, scale, into, scratch, padded, groups), step.TokenCount * groups);
    }

    /// <param name="q">One query head.</param>
    /// <param name="rows">Window and entries.</param>
    /// <param name="sink">Logit.</param>
    /// <param name="scale">On the scores.</param>
    internal static double[] Reference(ReadOnlySpan<float> q, float[][] rows, double sink, double scale)
    {
        var weights = new double[rows.Length];
        for (var i = 0; i < rows.Length; i++) weights[i] = Linear.Reference(q, rows[i]) * scale;
        var max = Math.Max(sink, weights.Max());
        var sum = Math.Exp(sink - max);
        for (var i = 0; i < rows.Length; i++) sum += weights[i] = Math.Exp(weights[i] - max);
        var output = new double[q.Length];
        for (var i = 0; i < rows.Length; i++)
            for (var d = 0; d < q.Length; d++) output[d] += weights[i] / sum * rows[i][d];
        return output;
    }

    private readonly struct Work(
        Tensor q, StepInput step, CachedRows window, int windowSize, EntryCache? entries, Selection? chosen, Tensor sinks, float scale, Tensor into, Tensor scratch, int padded, int groups) : IWork
    {
        private int Columns => window.Columns;

        public void Run(int item, int worker)
        {
            var (token, firstHead) = (item / groups, item % groups * HeadsPerItem);
            var heads = Math.Min(HeadsPerItem, sinks.Columns - firstHead);
            var sequence = step.Sequences[step.Owners[token]];
            var blocks = step.Blocks[sequence.FirstBlock..];
            var position = sequence.ContextLength - sequence.QueryLength + token - sequence.QueryStart;
            var start = Math.Max(0, position + 1 - windowSize);
            var inWindow = position + 1 - start;
            var visible = entries?.Visible(position) ?? 0;
            var list = chosen is { } some ? some.Positions(token) : null;
            var count = inWindow + (list is null ? visible : chosen!.Value.Count(token));

            float* rows = scratch.Row(worker), queries = rows + Split * padded;
            float* outputs = queries + HeadsPerItem * padded, partial = outputs + HeadsPerItem * padded, scores = partial + HeadsPerItem * padded;
            var maxima = stackalloc float[HeadsPerItem];
            var sums = stackalloc float[HeadsPerItem];
            for (var h = 0; h < heads; h++)
            {
                var query = queries + h * padded;
                new Span<float>(query, padded).Clear();
                new ReadOnlySpan<float>(q.Row(token) + (firstHead + h) * Columns, Columns).CopyTo(new(query, Columns));
                for (var d = 0; d < padded; d += Simd.Lanes) (Vector512.Load(query + d) * Vector512.Create(scale)).Store(query + d);
                (maxima[h], sums[h]) = (sinks.Data[firstHead + h], 1);
                new Span<float>(outputs + h * padded, padded).Clear();
            }

            for (var split = 0; split < count; split += Split)
            {
                var n = Math.Min(Split, count - split);
                for (var i = 0; i < n; i++)
                {
                    var row = rows + i * padded;
                    Read(blocks, split + i, start, inWindow, list, row);
                    for (var d = Columns; d < padded; d++) row[d] = 0;
                    RowDots.Invoke(row, queries, padded, heads, scores + i, Split);
                }
                for (var h = 0; h < heads; h++)
                {
                    var (max, sum) = Exponentials(scores + h * Split, n);
                    Weigh(scores + h * Split, rows, n, partial + h * padded);
                    Merge(ref maxima[h], ref sums[h], outputs + h * padded, max, sum, partial + h * padded);
                }
            }

            for (var h = 0; h < heads; h++)
            {
                var to = into.Row(token) + (firstHead + h) * Columns;
                for (var d = 0; d < Columns; d += Simd.Lanes) RowMath.Store(Vector512.Load(outputs + h * padded + d) / Vector512.Create(sums[h]), to + d, Columns - d);
            }
        }

        /// <summary>The row that a token's i-th place names: the window first, then entries.</summary>
        private void Read(ReadOnlySpan<int> blocks, int i, int start, int inWindow, int* list, float* into)
        {
            var size = window.Rows.Plane.Rows;
            if (i < inWindow) RowCache.Read(window.Rows.Row(blocks[(start + i) / size], (start + i) % size), window, into);
            else RowCache.Read(entries!.Value.Row(blocks, list is null ? i - inWindow : list[i - inWindow]), entries.Value.Cache, into);
        }

        /// <summary>Scores become e^(score − max).</summary>
        private static (float Max, float Sum) Exponentials(float* scores, int n)
        {
            var lanes = Vector512.Create(float.NegativeInfinity);
            for (var i = 0; i < n; i += Simd.Lanes) lanes = Vector512.Max(lanes, RowMath.Load(scores + i, n - i, float.NegativeInfinity));
            var max = RowMath.Max(lanes);
            var sum = Vector512<float>.Zero;
            for (var i = 0; i < n; i += Simd.Lanes)
            {
                var e = Exp.NotPositive(RowMath.Load(scores + i, n - i, float.NegativeInfinity) - Vector512.Create(max));
                RowMath.Store(e, scores + i, n - i);
                sum += e;
            }
            return (max, RowMath.Sum(sum));
        }

        /// <summary>partial = Σ p_i · row_i</summary>
        private void Weigh(float* p, float* rows, int n, float* partial)
        {
            var tile = new Tile { X = p, XStride = Split, K = n, WStride = padded * sizeof(float), CStride = padded, Rows = 1 };
            for (var d = 0; d < padded; d += Tile.Columns)
            {
                tile.Low = (byte*)(rows + d);
                tile.High = tile.Low + Tile.Columns / 2 * sizeof(float);
                tile.C = partial + d;
                tile.Run<F32Columns>();
            }
        }

        private void Merge(ref float max, ref float sum, float* outputs, float splitMax, float splitSum, float* partial)
        {
            var merged = MathF.Max(max, splitMax);
            var (before, after) = (Exp.Invoke(max - merged), Exp.Invoke(splitMax - merged));
            (max, sum) = (merged, sum * before + splitSum * after);
            for (var d = 0; d < padded; d += Simd.Lanes) (Vector512.Load(outputs + d) * before + Vector512.Load(partial + d) * after).Store(outputs + d);
        }
    }
}
