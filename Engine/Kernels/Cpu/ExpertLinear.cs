namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// <see cref="Linear"/> with a matrix for every group of rows: an item is a group and a few panels of its expert, so a row's result is that
/// of the plain product with its expert's matrix, bit for bit, whoever shares the group.
/// </summary>
internal static class ExpertLinear
{
    public static void Run(WorkerPool pool, Tensor x, Matrix[] experts, ExpertRoutes routes, Tensor into)
    {
        if (routes.GroupCount == 0) return;
        var shape = (PackedMatrix)experts[0];
        var perItem = Linear.PanelsPerItem(pool, shape, fewRows: routes.Rows <= (long)Tile.MaxRows * routes.GroupCount, routes.GroupCount);
        var perGroup = (shape.Panels + perItem - 1) / perItem;
        var work = new Work(x, experts, routes, into, perItem, perGroup);
        pool.Run(work, checked(routes.GroupCount * perGroup));
    }

    private readonly struct Work(Tensor x, Matrix[] experts, ExpertRoutes routes, Tensor into, int perItem, int perGroup) : IWork
    {
        public void Run(int item, int worker)
        {
            var (expert, firstRow, endRow) = routes.Group(item / perGroup);
            var w = (PackedMatrix)experts[expert];
            var first = item % perGroup * perItem;
            var end = Math.Min(first + perItem, w.Panels);
            Linear.Panels(x, w, TileMode.Set, into, firstRow, endRow, first, end);
        }
    }
}
