using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>Writes <see cref="CachedRows"/> in the cache's type and reads them back as float32.</summary>
internal static unsafe class RowCache
{
    private const int TokensPerItem = 32;

    public static void Store(WorkerPool pool, Tensor x, StepInput step, CachedRows cache)
    {
        var work = new Work(x, step, cache);
        pool.Run(work, (step.TokenCount + TokensPerItem - 1) / TokensPerItem);
    }

    /// <summary>One row as float32.</summary>
    public static void Read(byte* from, CachedRows cache, float* to)
    {
        switch (cache.Rows.Plane.Type)
        {
            case WeightType.F32:
                new ReadOnlySpan<float>(from, cache.Columns).CopyTo(new(to, cache.Columns));
                break;
            case WeightType.BF16:
                Widen((ushort*)from, to, cache.Columns);
                break;
            default:
                var scales = (float*)(from + Aligned(cache.Scaled));
                for (var tile = 0; tile < cache.Tiles; tile++)
                {
                    var start = tile * CachedRows.Tile;
                    Scaled(from + start, scales[tile], to + start, Math.Min(CachedRows.Tile, cache.Scaled - start));
                }
                Widen((ushort*)(scales + cache.Tiles), to + cache.Scaled, cache.Plain);
                break;
        }
    }

    internal static void Write(float* from, CachedRows cache, byte* to)
    {
        switch (cache.Rows.Plane.Type)
        {
            case WeightType.F32:
                new ReadOnlySpan<float>(from, cache.Columns).CopyTo(new(to, cache.Columns));
                break;
            case WeightType.BF16:
                for (var i = 0; i < cache.Columns; i++) ((ushort*)to)[i] = BFloat16.FromSingle(from[i]);
                break;
            default:
                var scales = (float*)(to + Aligned(cache.Scaled));
                for (var tile = 0; tile < cache.Tiles; tile++)
                {
                    var (start, end) = (tile * CachedRows.Tile, Math.Min((tile + 1) * CachedRows.Tile, cache.Scaled));
                    var largest = 0f;
                    for (var i = start; i < end; i++) largest = MathF.Max(largest, MathF.Abs(from[i]));
                    scales[tile] = Float8.Scale(largest);
                    var inverse = 1 / scales[tile];                          // exact: a power of two
                    for (var i = start; i < end; i++) to[i] = Float8.FromSingle(from[i] * inverse);
                }
                var plain = (ushort*)(scales + cache.Tiles);
                for (var i = 0; i < cache.Plain; i++) plain[i] = BFloat16.FromSingle(from[cache.Scaled + i]);
                break;
        }
    }

    private static int Aligned(int bytes) => (bytes + 3) / 4 * 4;

    private static void Widen(ushort* from, float* to, int count)
    {
        var i = 0;
        for (; i + Simd.Lanes <= count; i += Simd.Lanes) (Vector512.WidenLower(Vector256.Load(from + i).ToVector512Unsafe()) << 16).AsSingle().Store(to + i);
        for (; i < count; i++) to[i] = BFloat16.ToSingle(from[i]);
    }

    private static void Scaled(byte* from, float scale, float* to, int count)
    {
        var i = 0;
        for (; i + Simd.Lanes <= count; i += Simd.Lanes)
        {
            var words = Vector256.WidenLower(Vector128.Load(from + i).ToVector256Unsafe());
            (Float8.Expand(Vector512.WidenLower(words.ToVector512Unsafe()).AsInt32() << 24) * scale).Store(to + i);
        }
        for (; i < count; i++) to[i] = Float8.ToSingle(from[i]) * scale;
    }

    private readonly struct Work(Tensor x, StepInput step, CachedRows cache) : IWork
    {
        public void Run(int item, int worker)
        {
            var (first, end) = (item * TokensPerItem, Math.Min((item + 1) * TokensPerItem, step.TokenCount));
            var size = cache.Rows.Plane.Rows;
            foreach (var sequence in step.Sequences)
            {
                var start = Math.Max(first, sequence.QueryStart);
                for (var token = start; token < Math.Min(end, sequence.QueryStart + sequence.QueryLength); token++)
                {
                    var position = sequence.ContextLength - sequence.QueryLength + token - sequence.QueryStart;
                    Write(x.Row(token), cache, cache.Rows.Row(step.Blocks[sequence.FirstBlock + position / size], position % size));
                }
            }
        }
    }
}
