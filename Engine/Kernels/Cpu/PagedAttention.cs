using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// softmax(q·Kᵀ·scale)·V over paged blocks, causal, grouped query heads.
/// The positions of a sequence are cut every <see cref="Split"/> tokens from position 0, wherever the chunk or the block begins. Within
/// a split: scores (dims ascending), maximum, exponentials, their sum (16 chains, fixed tree), outputs (positions ascending). Splits are
/// merged in ascending order. So a query's result depends on its own row and the positions before it, and on nothing else in the step.
/// </summary>
internal sealed unsafe class PagedAttention : IDisposable
{
    /// <summary>A multiple of every block size.</summary>
    public const int Split = 256;
    /// <summary>Query rows (tokens × grouped heads) that pass over a split of keys and values while it is in the cache.</summary>
    private const int RowsPerItem = 128;

    private readonly QueryTiles _tiles = new();

    public void Run(WorkerPool pool, Tensor q, StepInput step, LayerKv kv, float scale, Tensor into)
    {
        var geometry = kv.Geometry;
        var group = q.Columns / geometry.HeadDim / geometry.Heads;
        var tokensPerItem = Math.Max(1, RowsPerItem / group);
        var tiles = _tiles.Cut(step, tokensPerItem);
        var scratch = _tiles.Scratch(pool.Threads, Layout.Bytes(tokensPerItem * group, geometry.HeadDim));
        fixed ((int, int)* tilesPointer = &_tiles.First)
        {
            if (geometry.Type == WeightType.F32) Run<F32Columns>(tilesPointer);
            else if (geometry.Type == WeightType.E4M3) Run<E4M3Columns>(tilesPointer);
            else Run<Bf16Columns>(tilesPointer);
        }

        void Run<TColumns>((int, int)* pointer) where TColumns : struct, IColumns
        {
            var work = new Work<TColumns>(q, step, kv, scale, into, group, tokensPerItem, pointer, tiles, scratch, _tiles.ScratchBytes);
            pool.Run(work, tiles * geometry.Heads);
        }
    }

    public void Dispose() => _tiles.Dispose();

    /// <param name="q">One query head.</param>
    /// <param name="keys">[positions, dim]</param>
    /// <param name="values">[positions, dim]</param>
    /// <param name="scale">On the scores.</param>
    internal static double[] Reference(ReadOnlySpan<float> q, float[][] keys, float[][] values, double scale)
    {
        var weights = new double[keys.Length];
        for (var s = 0; s < keys.Length; s++) weights[s] = Linear.Reference(q, keys[s]) * scale;
        var (max, sum) = (weights.Max(), 0.0);
        for (var s = 0; s < weights.Length; s++) sum += weights[s] = Math.Exp(weights[s] - max);
        var output = new double[q.Length];
        for (var s = 0; s < weights.Length; s++)
            for (var d = 0; d < q.Length; d++) output[d] += weights[s] / sum * values[s][d];
        return output;
    }

    /// <summary>A worker's scratch memory.</summary>
    private readonly struct Layout(byte* memory, int rows, int dim)
    {
        public static long Bytes(int rows, int dim) =>
            (((long)rows * dim + (rows + Tile.MaxRows) * (long)Padded(dim) + Tile.MaxRows * Split + 2L * rows) * sizeof(float) + 4095) & ~4095L;

        /// <summary>Output tiles are 32 wide.</summary>
        public static int Padded(int dim) => (dim + Tile.Columns - 1) / Tile.Columns * Tile.Columns;

        /// <summary>[rows, dim], scaled</summary>
        public float* Queries => (float*)memory;
        /// <summary>[rows, padded dim]: numerators over the splits so far</summary>
        public float* Outputs => Queries + (long)rows * dim;
        /// <summary>[8, padded dim]: numerators of one split</summary>
        public float* Partial => Outputs + (long)rows * Padded(dim);
        /// <summary>[8, Split]: scores, then their exponentials</summary>
        public float* Scores => Partial + (long)Tile.MaxRows * Padded(dim);
        public float* Maxima => Scores + Tile.MaxRows * Split;
        public float* Sums => Maxima + rows;
    }

    private readonly struct Work<TColumns>(
        Tensor q, StepInput step, LayerKv kv, float scale, Tensor into, int group, int tokensPerItem, (int Sequence, int FirstToken)* tiles, int tileCount,
        byte* scratch, long scratchBytes) : IWork where TColumns : struct, IColumns
    {
        private int Dim => kv.Geometry.HeadDim;
        private int BlockSize => kv.Geometry.BlockSize;
        private int Element => kv.Geometry.Type.Bytes();

        public void Run(int item, int worker)
        {
            // Items of one head follow one another, so that its keys and values stay in the cache; the longest contexts come first.
            var head = item / tileCount;
            var (sequenceIndex, firstToken) = tiles[tileCount - 1 - item % tileCount];
            var sequence = step.Sequences[sequenceIndex];
            var tokens = Math.Min(tokensPerItem, sequence.QueryLength - firstToken);
            var rows = tokens * group;
            var memory = new Layout(scratch + worker * scratchBytes, tokensPerItem * group, Dim);
            var firstRow = sequence.QueryStart + firstToken;
            var firstLength = sequence.ContextLength - sequence.QueryLength + firstToken + 1;    // positions the first token sees

            for (var t = 0; t < tokens; t++)
            {
                var from = q.Row(firstRow + t) + head * group * Dim;
                var to = memory.Queries + (long)t * group * Dim;
                for (var i = 0; i < group * Dim; i += Simd.Lanes) RowMath.Store(RowMath.Load(from + i, group * Dim - i) * scale, to + i, group * Dim - i);
            }
            for (var split = 0; split < firstLength + tokens - 1; split += Split)
                for (var row = 0; row < rows; row += Tile.MaxRows)
                    Rows(memory, sequence, head, split, row, Math.Min(Tile.MaxRows, rows - row), firstLength);

            var padded = Layout.Padded(Dim);
            for (var r = 0; r < rows; r++)
            {
                var from = memory.Outputs + (long)r * padded;
                var to = into.Row(firstRow + r / group) + (head * group + r % group) * Dim;
                for (var d = 0; d < Dim; d += Simd.Lanes) RowMath.Store(Vector512.Load(from + d) / memory.Sums[r], to + d, Dim - d);
            }
        }

        /// <summary>Up to 8 query rows against one split.</summary>
        private void Rows(Layout memory, StepSequenceView sequence, int head, int split, int row, int rows, int firstLength)
        {
            for (; rows > 0 && Visible(row, firstLength, split) <= 0; rows--) row++;             // earlier tokens that see nothing of this split
            if (rows == 0) return;
            var visible = stackalloc int[Tile.MaxRows];
            var maxima = stackalloc float[Tile.MaxRows];
            var sums = stackalloc float[Tile.MaxRows];
            for (var r = 0; r < rows; r++) visible[r] = Visible(row + r, firstLength, split);
            var scores = memory.Scores;
            var partial = memory.Partial;
            var padded = Layout.Padded(Dim);
            Scores(memory.Queries + (long)row * Dim, scores, sequence, head, split, rows, visible[rows - 1]);
            if (kv.Geometry.Type == WeightType.E4M3) Scale(scores, sequence, head, split, rows, visible[rows - 1], values: false);
            for (var r = 0; r < rows; r++) (maxima[r], sums[r]) = Exponentials(scores + r * Split, visible[r]);
            if (kv.Geometry.Type == WeightType.E4M3) Scale(scores, sequence, head, split, rows, visible[rows - 1], values: true);
            Outputs(scores, partial, sequence, head, split, rows, 0, visible[0]);
            for (int r = 0, next; r < rows; r = next)                        // later tokens of the eight see a little more
            {
                for (next = r + 1; next < rows && visible[next] == visible[r];) next++;
                if (visible[r] > visible[0]) Outputs(scores + r * Split, partial + r * padded, sequence, head, split, next - r, visible[0], visible[r]);
            }
            for (var r = 0; r < rows; r++) Merge(memory, row + r, split == 0, maxima[r], sums[r], partial + r * padded);
        }

        /// <summary>Positions of the split that a query row sees; not positive when it ends before.</summary>
        private int Visible(int row, int firstLength, int split) => Math.Min(firstLength + row / group - split, Split);

        /// <summary>scores[r, s] = q[r] · K[split + s], beyond what a row may see too: those are never read.</summary>
        private void Scores(float* queries, float* scores, StepSequenceView sequence, int head, int split, int rows, int visible)
        {
            var tile = new Tile { X = queries, XStride = Dim, K = Dim, WStride = KvGeometry.Panel * Element, CStride = Split, Rows = rows };
            for (var s = 0; s < visible; s += Tile.Columns)
            {
                tile.Low = Slots(sequence, head, split + s);
                tile.High = s + Simd.Lanes < visible ? Slots(sequence, head, split + s + Simd.Lanes) : tile.Low;
                tile.C = scores + s;
                tile.Run<TColumns>();
            }
        }

        /// <summary>E4M3 rows are kept divided by a power of two each: a key's belongs on its score, a value's on its weight.</summary>
        private void Scale(float* scores, StepSequenceView sequence, int head, int split, int rows, int visible, bool values)
        {
            for (var s = 0; s < visible; s += Simd.Lanes)
            {
                var block = Block(sequence, split + s);
                var exponents = (values ? kv.ValueScales(block, head) : kv.KeyScales(block, head)) + (split + s) % BlockSize;
                var wide = Vector512.WidenLower(Vector256.WidenLower(Vector128.Load(exponents).ToVector256Unsafe()).ToVector512Unsafe());
                var scale = (wide << 23).AsSingle();
                for (var r = 0; r < rows; r++) (Vector512.Load(scores + r * Split + s) * scale).Store(scores + r * Split + s);
            }
        }

        /// <summary>Scores become e^(score − max), padded with zeros to whole vectors.</summary>
        private static (float Max, float Sum) Exponentials(float* scores, int visible)
        {
            for (var s = visible; s % Simd.Lanes != 0; s++) scores[s] = float.NegativeInfinity;
            var lanes = Vector512.Load(scores);
            for (var s = Simd.Lanes; s < visible; s += Simd.Lanes) lanes = Vector512.Max(lanes, Vector512.Load(scores + s));
            var max = RowMath.Max(lanes);
            var (shift, sum) = (Vector512.Create(max), Vector512<float>.Zero);
            for (var s = 0; s < visible; s += Simd.Lanes)
            {
                var e = Exp.NotPositive(Vector512.Load(scores + s) - shift);
                e.Store(scores + s);
                sum += e;
            }
            return (max, RowMath.Sum(sum));
        }

        /// <summary>partial[r] (+)= Σ p[r, s] · V[split + s] for s in [from, to).</summary>
        private void Outputs(float* p, float* partial, StepSequenceView sequence, int head, int split, int rows, int from, int to)
        {
            var tile = new Tile { XStride = Split, WStride = KvGeometry.Panel * Element, CStride = Layout.Padded(Dim), Rows = rows };
            for (var d = 0; d < Dim; d += Tile.Columns)
            {
                tile.C = partial + d;
                for (var s = from; s < to; s += tile.K)
                {
                    var slot = (split + s) % BlockSize;
                    tile.X = p + s;
                    tile.K = Math.Min(to - s, BlockSize - slot);
                    tile.Low = kv.Value(Block(sequence, split + s), head) + ((long)d * BlockSize + slot * KvGeometry.Panel) * Element;
                    tile.High = d + KvGeometry.Panel < Dim ? tile.Low + BlockSize * KvGeometry.Panel * Element : tile.Low;
                    tile.Mode = s == 0 ? TileMode.Set : TileMode.Continue;
                    tile.Run<TColumns>();
                }
            }
        }

        private void Merge(Layout memory, int row, bool first, float max, float sum, float* partial)
        {
            var outputs = memory.Outputs + (long)row * Layout.Padded(Dim);
            float* maxima = memory.Maxima, sums = memory.Sums;
            var (before, after) = (0f, 1f);
            if (!first)
            {
                var merged = MathF.Max(maxima[row], max);
                (before, after) = (Exp.Invoke(maxima[row] - merged), Exp.Invoke(max - merged));
                (max, sum) = (merged, sums[row] * before + sum * after);
            }
            (maxima[row], sums[row]) = (max, sum);
            for (var d = 0; d < Dim; d += Simd.Lanes)
            {
                var added = Vector512.Load(partial + d) * after;
                (first ? added : Vector512.Load(outputs + d) * before + added).Store(outputs + d);
            }
        }

        /// <summary>The panel of sixteen slots at a position; blocks hold whole sixteens.</summary>
        private byte* Slots(StepSequenceView sequence, int head, int position) => kv.Key(Block(sequence, position), head) + (long)(position % BlockSize) * Dim * Element;

        private int Block(StepSequenceView sequence, int position) => step.Blocks[sequence.FirstBlock + position / BlockSize];
    }
}
