using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// C = X·Wᵀ by tiles of up to 8 rows and 32 output features over the whole of K. An item is a few panels and a few hundred rows; within
/// it the panels stay in the second-level cache while the rows pass by.
/// </summary>
internal static unsafe class Linear
{
    public const int RowsPerItem = 256;
    private const int MaxPanelsPerItem = 4;
    private const int StreamBytes = 256 << 10;                               // a matrix-vector item: long enough for the prefetcher, short enough to balance

    internal static double Reference(ReadOnlySpan<float> x, ReadOnlySpan<float> w)
    {
        double sum = 0;
        for (var k = 0; k < x.Length; k++) sum += (double)x[k] * w[k];
        return sum;
    }

    public static void Run(WorkerPool pool, Tensor x, PackedMatrix w, TileMode mode, Tensor into)
    {
        var perItem = PanelsPerItem(pool, w, fewRows: x.Rows <= Tile.MaxRows, items: 1);
        var groups = (w.Panels + perItem - 1) / perItem;
        var rowGroups = (x.Rows + RowsPerItem - 1) / RowsPerItem;
        var work = new Work(x, w, mode, into, perItem, groups);
        pool.Run(work, groups * rowGroups);
    }

    private readonly struct Work(Tensor x, PackedMatrix w, TileMode mode, Tensor into, int perItem, int groups) : IWork
    {
        public void Run(int item, int worker)
        {
            var (first, firstRow) = (item % groups * perItem, item / groups * RowsPerItem);
            Panels(x, w, mode, into, firstRow, Math.Min(firstRow + RowsPerItem, x.Rows), first, Math.Min(first + perItem, w.Panels));
        }
    }

    /// <summary>Rows [firstRow, endRow) against panels [first, end).</summary>
    public static void Panels(Tensor x, PackedMatrix w, TileMode mode, Tensor into, int firstRow, int endRow, int first, int end)
    {
        switch (w.Type)
        {
            case WeightType.F32: Panels<F32Columns>(x, w, mode, into, firstRow, endRow, first, end); break;
            case WeightType.F16: Panels<F16Pairs>(x, w, mode, into, firstRow, endRow, first, end); break;
            case WeightType.E4M3: ScaledPanels(x, w, mode, into, firstRow, endRow, first, end); break;
            case WeightType.E2M1: Float4Linear.Panels(x, w, mode, into, firstRow, endRow, first, end); break;
            default: Panels<Bf16Pairs>(x, w, mode, into, firstRow, endRow, first, end); break;
        }
    }

    private static void Panels<TColumns>(Tensor x, PackedMatrix w, TileMode mode, Tensor into, int firstRow, int endRow, int first, int end) where TColumns : struct, IColumns
    {
        var highOffset = Tile.Columns / 2 * sizeof(float);                   // used by float32 panels only, the 16-bit ones are paired
        var edge = stackalloc float[Tile.MaxRows * Tile.Columns];
        for (var row = firstRow; row < endRow; row += Tile.MaxRows)
        {
            var tile = new Tile
            {
                X = x.Row(row), XStride = x.Stride, K = w.Columns, WStride = w.StepBytes,
                Rows = Math.Min(Tile.MaxRows, endRow - row), CStride = into.Stride, Mode = mode,
            };
            for (var panel = first; panel < end; panel++)
            {
                tile.Low = w.Panel(panel);
                tile.High = tile.Low + highOffset;
                tile.C = into.Row(row) + panel * Tile.Columns;
                var columns = w.Rows - panel * Tile.Columns;
                if (columns >= Tile.Columns) tile.Run<TColumns>();
                else RunEdge<TColumns>(tile, edge, columns);
            }
        }
    }

    /// <summary>Each block of columns is a chain of its own; the blocks' sums, times their factors, are a chain over ascending blocks.</summary>
    private static void ScaledPanels(Tensor x, PackedMatrix w, TileMode mode, Tensor into, int firstRow, int endRow, int first, int end)
    {
        float* part = stackalloc float[Tile.MaxRows * Tile.Columns], sum = stackalloc float[Tile.MaxRows * Tile.Columns];
        for (var row = firstRow; row < endRow; row += Tile.MaxRows)
        {
            var tile = new Tile { XStride = x.Stride, WStride = w.StepBytes, Rows = Math.Min(Tile.MaxRows, endRow - row), C = part, CStride = Tile.Columns };
            for (var panel = first; panel < end; panel++)
            {
                for (var block = 0; block < w.Blocks; block++)
                {
                    var column = block * w.BlockColumns;
                    tile.X = x.Row(row) + column;
                    tile.K = Math.Min(w.BlockColumns, w.Columns - column);
                    tile.Low = tile.High = w.Panel(panel) + (long)column * w.StepBytes;
                    tile.Run<E4M3Pairs>();
                    float* factors = w.Factors(panel, block);
                    for (var i = 0; i < tile.Rows * Tile.Columns; i += Simd.Lanes)
                    {
                        var factor = Vector512.Load(factors + i % Tile.Columns);
                        var scaled = block == 0 ? Vector512.Load(part + i) * factor : Vector512.FusedMultiplyAdd(Vector512.Load(part + i), factor, Vector512.Load(sum + i));
                        scaled.Store(sum + i);
                    }
                }
                Finish(sum, tile.Rows, mode, into, row, panel, w);
            }
        }
    }

    /// <summary>Writes sums [rows, 32] of a panel to the rows from <paramref name="row"/> on, or adds them to what is there: the columns that exist.</summary>
    public static void Finish(float* sums, int rows, TileMode mode, Tensor into, int row, int panel, PackedMatrix w)
    {
        var columns = Math.Min(Tile.Columns, w.Rows - panel * Tile.Columns);
        for (var r = 0; r < rows; r++)
        {
            float* c = into.Row(row + r) + panel * Tile.Columns, s = sums + r * Tile.Columns;
            for (var i = 0; i < columns; i += Simd.Lanes)
                RowMath.Store(mode == TileMode.Add ? RowMath.Load(c + i, columns - i) + Vector512.Load(s + i) : Vector512.Load(s + i), c + i, columns - i);
        }
    }

    /// <summary>The last panel is wider than the matrix: into scratch, then the columns that exist.</summary>
    private static void RunEdge<TColumns>(Tile tile, float* edge, int columns) where TColumns : struct, IColumns
    {
        var c = tile.C;
        var stride = tile.CStride;
        tile.C = edge;
        tile.CStride = Tile.Columns;
        for (var r = 0; r < tile.Rows; r++) new ReadOnlySpan<float>(c + r * stride, columns).CopyTo(new(edge + r * Tile.Columns, Tile.Columns));
        tile.Run<TColumns>();
        for (var r = 0; r < tile.Rows; r++) new ReadOnlySpan<float>(edge + r * Tile.Columns, columns).CopyTo(new(c + r * stride, columns));
    }

    /// <summary>Panels an item streams from memory, when <paramref name="items"/>-fold the work of one row group is there to share out.</summary>
    public static int PanelsPerItem(WorkerPool pool, PackedMatrix w, bool fewRows, int items)
    {
        var perItem = fewRows ? (int)Math.Max(1, StreamBytes / w.PanelBytes) : MaxPanelsPerItem;
        return (int)Math.Clamp((long)w.Panels * items / (pool.Threads * 4), 1, perItem);
    }
}
