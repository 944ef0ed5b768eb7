using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// Scores every visible position, or entry of several, for every token, Σ_h weight_h · max(0, q_h·k), and keeps the best. As in <see cref="LatentAttention"/> the
/// heads are what vectors run across. A score is a chain over the columns of a key for each head, then 16 chains over the heads
/// (head mod 16) and a fixed tree: a function of the token and the key alone.
/// </summary>
internal sealed unsafe class Indexer : IDisposable
{
    /// <summary>Positions of an item, so that even one decoding token keeps all threads busy.</summary>
    private const int PositionsPerItem = 1024;
    /// <summary>Keys that stay in the first caches while the heads pass over them.</summary>
    private const int RowsPerPass = 32;
    /// <summary>Scores kept at once: long prompts over long contexts go a few tokens at a time.</summary>
    private const long MaxScores = 8 << 20;

    private int[] _sequenceOf = [];
    private NativeBuffer? _scratch, _scores;

    public void Run(WorkerPool pool, Tensor q, Tensor weights, StepInput step, EntryCache keys, Selection chosen)
    {
        if (_sequenceOf.Length < step.TokenCount) _sequenceOf = GC.AllocateUninitializedArray<int>(Math.Max(step.TokenCount, 2 * _sequenceOf.Length), pinned: true);
        var longest = 0;
        for (var s = 0; s < step.SequenceCount; s++)
        {
            var sequence = step.Sequences[s];
            Array.Fill(_sequenceOf, s, sequence.QueryStart, sequence.QueryLength);
            longest = Math.Max(longest, keys.Visible(sequence.ContextLength - 1));
        }
        if (longest <= chosen.Most) longest = 0;                             // everyone attends to all: nothing to score
        var layout = new Layout(keys.Cache, weights.Columns);
        Grow(ref _scratch, pool.Threads * layout.Bytes);
        var batch = longest == 0 ? step.TokenCount : (int)Math.Clamp(MaxScores / longest, 1, step.TokenCount);
        Grow(ref _scores, (long)batch * longest * sizeof(float));
        var chunks = (longest + PositionsPerItem - 1) / PositionsPerItem;
        fixed (int* sequences = _sequenceOf)
        {
            for (var first = 0; first < step.TokenCount; first += batch)
            {
                var tokens = Math.Min(batch, step.TokenCount - first);
                var place = new Place(step, sequences, keys, chosen, first, (float*)_scores!.Address, longest);
                var score = new Score(place, q, weights, keys, layout, _scratch!.Address, chunks);
                if (chunks > 0) pool.Run(score, tokens * chunks);
                var choose = new Choose(place);
                pool.Run(choose, tokens);
            }
        }
    }

    public void Dispose()
    {
        _scratch?.Dispose();
        _scores?.Dispose();
    }

    internal static double Reference(float[][] q, ReadOnlySpan<float> weights, ReadOnlySpan<float> key)
    {
        double sum = 0;
        for (var h = 0; h < q.Length; h++) sum += weights[h] * Math.Max(0, Linear.Reference(q[h], key));
        return sum;
    }

    /// <summary>Indices of the <paramref name="most"/> highest of more scores than that, ascending; of equal ones the first. −0 equals 0; NaN counts as highest.</summary>
    internal static void Highest(float* scores, int count, int most, int* into)
    {
        // The most-th highest value, byte by byte from the top: an order-preserving integer for each score.
        var histogram = stackalloc int[256];
        uint prefix = 0;
        var wanted = most;
        for (var shift = 24; shift >= 0; shift -= 8)
        {
            new Span<int>(histogram, 256).Clear();
            for (var i = 0; i < count; i++)
            {
                var key = Ordered(scores[i]);
                if (shift == 24 || (key ^ prefix) >> (shift + 8) == 0) histogram[key >> shift & 255]++;
            }
            var digit = 255;
            for (; histogram[digit] < wanted; digit--) wanted -= histogram[digit];
            prefix |= (uint)digit << shift;
        }
        for (int i = 0, found = 0; found < most; i++)
        {
            var key = Ordered(scores[i]);
            if (key > prefix || (key == prefix && wanted-- > 0)) into[found++] = i;
        }
    }

    private static uint Ordered(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value + 0f);              // −0 + 0 = 0
        if (float.IsNaN(value)) return uint.MaxValue;
        return (bits & 0x80000000) == 0 ? bits | 0x80000000 : ~bits;
    }

    private static void Grow(ref NativeBuffer? buffer, long bytes)
    {
        if (buffer is not null && buffer.Bytes >= bytes) return;
        buffer?.Dispose();
        buffer = new NativeBuffer(bytes);
    }

    /// <summary>A worker's scratch memory: queries [heads / 32, D, 32], weights [heads], keys [RowsPerPass, RowStride], products [8, heads].</summary>
    private readonly struct Layout
    {
        public Layout(CachedRows keys, int heads)
        {
            Heads = (heads + Tile.Columns - 1) / Tile.Columns * Tile.Columns;
            RowStride = (keys.Columns + Simd.Lanes - 1) / Simd.Lanes * Simd.Lanes;
            Weights = (long)Heads * keys.Columns;
            Rows = Weights + Heads;
            Products = Rows + (long)RowsPerPass * RowStride;
            Bytes = ((Products + (long)Tile.MaxRows * Heads) * sizeof(float) + 4095) & ~4095L;
        }

        public int Heads { get; }
        public int RowStride { get; }
        public long Weights { get; }
        public long Rows { get; }
        public long Products { get; }
        public long Bytes { get; }
    }

    /// <summary>Tokens from <paramref name="first"/> on and their rows of scores.</summary>
    private readonly struct Place(StepInput step, int* sequenceOf, EntryCache keys, Selection chosen, int first, float* scores, int longest)
    {
        public StepInput Step => step;
        public Selection Chosen => chosen;
        public int Token(int index) => first + index;
        public StepSequenceView Sequence(int index) => step.Sequences[sequenceOf[first + index]];
        public float* Scores(int index) => scores + (long)index * longest;

        public int Visible(int index)
        {
            var sequence = Sequence(index);
            return keys.Visible(sequence.ContextLength - sequence.QueryLength + first + index - sequence.QueryStart);
        }
    }

    private readonly struct Score(Place place, Tensor q, Tensor weights, EntryCache keys, Layout layout, byte* scratch, int chunks) : IWork
    {
        public void Run(int item, int worker)
        {
            var (index, start) = (item / chunks, item % chunks * PositionsPerItem);
            var visible = place.Visible(index);
            if (visible <= place.Chosen.Most || start >= visible) return;
            var memory = (float*)(scratch + worker * layout.Bytes);
            Pack(memory, place.Token(index));
            var blocks = place.Step.Blocks[place.Sequence(index).FirstBlock..];
            for (var end = Math.Min(start + PositionsPerItem, visible); start < end; start += RowsPerPass)
            {
                var rows = Math.Min(RowsPerPass, end - start);
                for (var r = 0; r < rows; r++) RowCache.Read(keys.Row(blocks, start + r), keys.Cache, memory + layout.Rows + (long)r * layout.RowStride);
                for (var r = 0; r < rows; r += Tile.MaxRows) Pass(memory, r, Math.Min(Tile.MaxRows, rows - r), place.Scores(index) + start + r);
            }
        }

        private void Pack(float* memory, int token)
        {
            new Span<float>(memory, (int)layout.Weights + layout.Heads).Clear();
            for (var head = 0; head < weights.Columns; head++)
            {
                memory[layout.Weights + head] = weights.Row(token)[head];
                var to = memory + (long)(head / Tile.Columns) * keys.Cache.Columns * Tile.Columns + head % Tile.Columns;
                var from = q.Row(token) + (long)head * keys.Cache.Columns;
                for (var d = 0; d < keys.Cache.Columns; d++) to[d * Tile.Columns] = from[d];
            }
        }

        private void Pass(float* memory, int row, int rows, float* into)
        {
            var products = memory + layout.Products;
            var tile = new Tile
            {
                X = memory + layout.Rows + (long)row * layout.RowStride, XStride = layout.RowStride, K = keys.Cache.Columns, WStride = Tile.Columns * sizeof(float),
                CStride = layout.Heads, Rows = rows,
            };
            for (var head = 0; head < layout.Heads; head += Tile.Columns)
            {
                tile.Low = (byte*)(memory + (long)head * keys.Cache.Columns);
                tile.High = tile.Low + Simd.Lanes * sizeof(float);
                tile.C = products + head;
                tile.Run<F32Columns>();
            }
            for (var r = 0; r < rows; r++)
            {
                var sum = Vector512<float>.Zero;
                for (var head = 0; head < layout.Heads; head += Simd.Lanes)
                    sum = Vector512.FusedMultiplyAdd(Vector512.Max(Vector512.Load(products + (long)r * layout.Heads + head), Vector512<float>.Zero), Vector512.Load(memory + layout.Weights + head), sum);
                into[r] = RowMath.Sum(sum);
            }
        }
    }

    private readonly struct Choose(Place place) : IWork
    {
        public void Run(int item, int worker)
        {
            var (token, visible, most) = (place.Token(item), place.Visible(item), place.Chosen.Most);
            var positions = place.Chosen.Positions(token);
            place.Chosen.Count(token) = Math.Min(visible, most);
            if (visible > most) Highest(place.Scores(item), visible, most, positions);
            else for (var i = 0; i < visible; i++) positions[i] = i;
        }
    }
}
