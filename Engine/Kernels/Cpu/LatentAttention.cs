using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// Latent attention in its absorbed form, for prompts and for decoding alike: one formula, so a chunk boundary cannot change a bit.
/// All heads share one row a position, so the heads are what vectors run across: scores are a tile product [rows × D] · [D × heads], outputs
/// [heads × rows] · [rows × latent], and a row is read once for up to <see cref="MaxColumns"/> queries.
/// The rows a query attends to, in ascending order, are cut every <see cref="Split"/> rows; within a split and between splits sums go as in
/// <see cref="PagedAttention"/>, the denominator as one ascending chain.
/// </summary>
internal sealed unsafe class LatentAttention : IDisposable
{
    /// <summary>Rows that stay in the second-level cache, as float32, while scores and outputs pass over them.</summary>
    public const int Split = 64;
    /// <summary>Queries (tokens × heads) of an item.</summary>
    private const int MaxColumns = 64;
    /// <summary>Heads of an item: one tile's columns.</summary>
    private const int MaxHeads = Tile.Columns;

    private readonly QueryTiles _tiles = new();

    public void Run(WorkerPool pool, Tensor absorbed, Tensor q, StepInput step, CachedRows cache, float scale, Selection? chosen, Tensor into)
    {
        var heads = absorbed.Columns / cache.Scaled;
        var groups = (heads + MaxHeads - 1) / MaxHeads;
        var headsPerItem = (heads + groups - 1) / groups;
        var tokensPerItem = chosen is null ? MaxColumns / headsPerItem : 1;
        var tiles = _tiles.Cut(step, tokensPerItem);
        var layout = new Layout(cache, tokensPerItem * headsPerItem);
        var scratch = _tiles.Scratch(pool.Threads, layout.Bytes);
        fixed ((int, int)* tilesPointer = &_tiles.First)
        {
            var work = new Work(absorbed, q, step, cache, scale, chosen, into, heads, groups, headsPerItem, tokensPerItem, tilesPointer, tiles, layout, scratch, _tiles.ScratchBytes);
            pool.Run(work, tiles * groups);
        }
    }

    public void Dispose() => _tiles.Dispose();

    /// <summary>A worker's scratch memory, in floats from its start.</summary>
    private readonly struct Layout
    {
        public Layout(CachedRows cache, int columns)
        {
            Columns = (columns + Tile.Columns - 1) / Tile.Columns * Tile.Columns;
            Padded = (cache.Scaled + Tile.Columns - 1) / Tile.Columns * Tile.Columns;
            RowStride = (Math.Max(cache.Columns, Padded) + Simd.Lanes - 1) / Simd.Lanes * Simd.Lanes;
            if (RowStride % 1024 == 0) RowStride += Simd.Lanes;              // 4 KiB apart, eight rows would meet in the same cache sets
            Rows = (long)Columns * cache.Columns;
            Scores = Rows + (long)Split * RowStride;
            Weights = Scores + Split * Columns;
            Outputs = Weights + Split * Columns;
            Partial = Outputs + (long)Columns * Padded;
            Statistics = Partial + (long)Tile.MaxRows * Padded;
            Bytes = ((Statistics + 5L * Columns) * sizeof(float) + 4095) & ~4095L;
        }

        /// <summary>Queries, padded to whole tiles.</summary>
        public int Columns { get; }
        /// <summary>Latent columns, padded to whole tiles.</summary>
        public int Padded { get; }
        public int RowStride { get; }
        /// <summary>[Split, RowStride] after the queries [Columns / 32, D, 32].</summary>
        public long Rows { get; }
        /// <summary>[Split, Columns]: scores, then their exponentials.</summary>
        public long Scores { get; }
        /// <summary>[Columns, Split]: the exponentials turned, as the output tiles read them.</summary>
        public long Weights { get; }
        /// <summary>[Columns, Padded]: numerators over the splits so far.</summary>
        public long Outputs { get; }
        /// <summary>[8, Padded]: numerators of one split.</summary>
        public long Partial { get; }
        /// <summary>Five rows of Columns: maximum and sum so far, maximum and sum of the split, rows of the split that a query sees (int).</summary>
        public long Statistics { get; }
        public long Bytes { get; }
    }

    private readonly struct Work(
        Tensor absorbed, Tensor q, StepInput step, CachedRows cache, float scale, Selection? chosen, Tensor into, int heads, int groups, int headsPerItem, int tokensPerItem,
        (int Sequence, int FirstToken)* tiles, int tileCount, Layout layout, byte* scratch, long scratchBytes) : IWork
    {
        public void Run(int item, int worker)
        {
            // Items of one tile follow one another, so that its rows stay in the shared cache; the longest contexts come first.
            var (sequenceIndex, firstToken) = tiles[tileCount - 1 - item / groups];
            var sequence = step.Sequences[sequenceIndex];
            var firstHead = item % groups * headsPerItem;
            var headCount = Math.Min(headsPerItem, heads - firstHead);
            if (headCount <= 0) return;
            var tokens = Math.Min(tokensPerItem, sequence.QueryLength - firstToken);
            var columns = tokens * headCount;
            var firstRow = sequence.QueryStart + firstToken;
            var firstLength = sequence.ContextLength - sequence.QueryLength + firstToken + 1;    // positions the first token sees
            var memory = (float*)(scratch + worker * scratchBytes);

            PackQueries(memory, firstRow, firstHead, headCount, columns);
            var count = chosen is { } selection ? selection.Count(firstRow) : firstLength + tokens - 1;
            var visible = (int*)(memory + layout.Statistics + 4 * layout.Columns);
            for (var split = 0; split < count; split += Split)
            {
                var rows = Math.Min(Split, count - split);
                for (var r = 0; r < rows; r++)
                {
                    var position = chosen is { } positions ? positions.Positions(firstRow)[split + r] : split + r;
                    var size = cache.Rows.Plane.Rows;
                    RowCache.Read(cache.Rows.Row(step.Blocks[sequence.FirstBlock + position / size], position % size), cache, memory + layout.Rows + (long)r * layout.RowStride);
                }
                for (var c = 0; c < layout.Columns; c++) visible[c] = c < columns ? Math.Clamp(chosen is null ? firstLength + c / headCount - split : rows, 0, rows) : rows;
                Scores(memory, rows, columns);
                Exponentials(memory, rows, columns, visible);
                for (var c = 0; c < columns; c += Tile.MaxRows) Outputs(memory, split == 0, c, Math.Min(Tile.MaxRows, columns - c), visible);
            }

            var sums = memory + layout.Statistics + layout.Columns;
            for (var c = 0; c < columns; c++)
            {
                var from = memory + layout.Outputs + (long)c * layout.Padded;
                var to = into.Row(firstRow + c / headCount) + (long)(firstHead + c % headCount) * cache.Scaled;
                var sum = Vector512.Create(sums[c]);
                for (var d = 0; d < cache.Scaled; d += Simd.Lanes) RowMath.Store(Vector512.Load(from + d) / sum, to + d, cache.Scaled - d);
            }
        }

        /// <summary>Queries turned so that vectors run across them, scaled: column c is head c mod heads of token c / heads.</summary>
        private void PackQueries(float* memory, int firstRow, int firstHead, int headCount, int columns)
        {
            var headDim = q.Columns / heads;
            for (var c = 0; c < columns; c++)
            {
                var (token, head) = (firstRow + c / headCount, firstHead + c % headCount);
                var to = memory + (long)(c / Tile.Columns) * cache.Columns * Tile.Columns + c % Tile.Columns;
                var latent = absorbed.Row(token) + (long)head * cache.Scaled;
                for (var d = 0; d < cache.Scaled; d++) to[d * Tile.Columns] = latent[d] * scale;
                var rotated = q.Row(token) + (long)(head + 1) * headDim - cache.Plain;
                to += (long)cache.Scaled * Tile.Columns;
                for (var d = 0; d < cache.Plain; d++) to[d * Tile.Columns] = rotated[d] * scale;
            }
        }

        /// <summary>scores[r, c] = row r · query c, beyond what a query may see too: those are never used.</summary>
        private void Scores(float* memory, int rows, int columns)
        {
            var tile = new Tile { XStride = layout.RowStride, K = cache.Columns, WStride = Tile.Columns * sizeof(float), CStride = layout.Columns };
            for (var c = 0; c < columns; c += Tile.Columns)
            {
                tile.Low = (byte*)(memory + (long)c * cache.Columns);
                tile.High = tile.Low + Simd.Lanes * sizeof(float);
                for (var r = 0; r < rows; r += Tile.MaxRows)
                {
                    tile.X = memory + layout.Rows + (long)r * layout.RowStride;
                    tile.C = memory + layout.Scores + (long)r * layout.Columns + c;
                    tile.Rows = Math.Min(Tile.MaxRows, rows - r);
                    tile.Run<F32Columns>();
                }
            }
        }

        /// <summary>Scores become e^(score − max), lane for lane a query of its own; what a query does not see is left out by selection, not by arithmetic.</summary>
        private void Exponentials(float* memory, int rows, int columns, int* visible)
        {
            float* scores = memory + layout.Scores, weights = memory + layout.Weights;
            var maxima = memory + layout.Statistics + 2 * layout.Columns;
            for (var c = 0; c < columns; c += Simd.Lanes)
            {
                var sees = Vector512.Load(visible + c);
                var max = Vector512.Create(float.NegativeInfinity);
                for (var r = 0; r < rows; r++)
                {
                    var seen = Vector512.GreaterThan(sees, Vector512.Create(r)).AsSingle();
                    max = Vector512.Max(max, Vector512.ConditionalSelect(seen, Vector512.Load(scores + (long)r * layout.Columns + c), Vector512.Create(float.NegativeInfinity)));
                }
                var sum = Vector512<float>.Zero;
                for (var r = 0; r < rows; r++)
                {
                    var at = scores + (long)r * layout.Columns + c;
                    var seen = Vector512.GreaterThan(sees, Vector512.Create(r)).AsSingle();
                    var e = Vector512.ConditionalSelect(seen, Exp.NotPositive(Vector512.Load(at) - max), Vector512<float>.Zero);
                    e.Store(at);
                    sum += e;
                }
                max.Store(maxima + c);
                sum.Store(maxima + layout.Columns + c);
            }
            for (var r = 0; r < rows; r++)
                for (var c = 0; c < columns; c++) weights[(long)c * Split + r] = scores[(long)r * layout.Columns + c];
        }

        /// <summary>Up to 8 queries' numerators of the split, merged into those so far.</summary>
        private void Outputs(float* memory, bool first, int column, int columns, int* visible)
        {
            for (; columns > 0 && visible[column] == 0; columns--) column++;                     // earlier tokens that see nothing of this split
            if (columns == 0) return;
            Product(memory, column, memory + layout.Partial, columns, 0, visible[column]);
            for (int c = 0, next; c < columns; c = next)                     // later tokens of the eight see a little more
            {
                for (next = c + 1; next < columns && visible[column + next] == visible[column + c];) next++;
                if (visible[column + c] > visible[column])
                    Product(memory, column + c, memory + layout.Partial + (long)c * layout.Padded, next - c, visible[column], visible[column + c]);
            }
            for (var c = 0; c < columns; c++) Merge(memory, column + c, first, memory + layout.Partial + (long)c * layout.Padded);
        }

        /// <summary>partial[c] (+)= Σ weight[c, r] · row r for r in [from, to).</summary>
        private void Product(float* memory, int column, float* partial, int columns, int from, int to)
        {
            var tile = new Tile
            {
                X = memory + layout.Weights + (long)column * Split + from, XStride = Split, K = to - from, WStride = layout.RowStride * sizeof(float),
                CStride = layout.Padded, Rows = columns, Mode = from == 0 ? TileMode.Set : TileMode.Continue,
            };
            for (var d = 0; d < layout.Padded; d += Tile.Columns)
            {
                tile.Low = (byte*)(memory + layout.Rows + (long)from * layout.RowStride + d);
                tile.High = tile.Low + Simd.Lanes * sizeof(float);
                tile.C = partial + d;
                tile.Run<F32Columns>();
            }
        }

        private void Merge(float* memory, int column, bool first, float* partial)
        {
            var outputs = memory + layout.Outputs + (long)column * layout.Padded;
            float* maxima = memory + layout.Statistics, sums = maxima + layout.Columns;
            var (max, sum) = (maxima[2 * layout.Columns + column], maxima[3 * layout.Columns + column]);
            var (before, after) = (0f, 1f);
            if (!first)
            {
                var merged = MathF.Max(maxima[column], max);
                (before, after) = (Exp.Invoke(maxima[column] - merged), Exp.Invoke(max - merged));
                (max, sum) = (merged, sums[column] * before + sum * after);
            }
            (maxima[column], sums[column]) = (max, sum);
            for (var d = 0; d < layout.Padded; d += Simd.Lanes)
            {
                var added = Vector512.Load(partial + d) * after;
                (first ? added : Vector512.Load(outputs + d) * before + added).Store(outputs + d);
            }
        }
    }
}
