namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>A block-diagonal product: every group of columns has a small matrix of its own. An item is a few groups, so that its weights are worth the visit.</summary>
internal static unsafe class GroupLinear
{
    private const int RowsPerItem = 256;
    private const long WeightBytesPerItem = 128 << 10;

    public static void Run(WorkerPool pool, Tensor x, int xStride, Matrix[] groups, Tensor into)
    {
        var perItem = (int)Math.Clamp(WeightBytesPerItem / groups[0].Bytes, 1, Math.Max(1, groups.Length / (pool.Threads * 2)));
        var items = (groups.Length + perItem - 1) / perItem;
        var rowGroups = (x.Rows + RowsPerItem - 1) / RowsPerItem;
        var work = new Work(x, xStride, groups, into, perItem, items);
        pool.Run(work, items * rowGroups);
    }

    private readonly struct Work(Tensor x, int xStride, Matrix[] groups, Tensor into, int perItem, int items) : IWork
    {
        public void Run(int item, int worker)
        {
            var (first, row) = (item % items * perItem, item / items * RowsPerItem);
            for (var g = first; g < Math.Min(first + perItem, groups.Length); g++)
            {
                var w = (PackedMatrix)groups[g];
                var from = new Tensor(x.Data + (long)g * xStride, x.Rows, w.Columns, x.Stride);
                var to = new Tensor(into.Data + (long)g * w.Rows, x.Rows, w.Rows, into.Stride);
                Linear.Panels(from, w, TileMode.Set, to, row, Math.Min(row + RowsPerItem, x.Rows), 0, w.Panels);
            }
        }
    }
}
