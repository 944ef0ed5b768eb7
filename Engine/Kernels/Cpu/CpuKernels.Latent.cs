using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels
{
    private readonly LatentAttention _latentAttention = new();
    private readonly Indexer _indexer = new();

    public void LayerNorm(Tensor x, Tensor weight, Tensor bias, float epsilon, Tensor into)
    {
        var work = new LayerNorm.Work(x, weight, bias, epsilon, into, RowsPerItem(x));
        _pool.Run(work, Items(x, RowsPerItem(x)));
    }

    public void GroupLinear(Tensor x, int xStride, Matrix[] groups, Tensor into) => Cpu.GroupLinear.Run(_pool, x, xStride, groups, into);

    public void StoreRows(Tensor x, StepInput step, CachedRows cache) => RowCache.Store(_pool, x, step, cache);

    public void LatentAttention(Tensor absorbed, Tensor q, StepInput step, CachedRows cache, float scale, Selection? chosen, Tensor into) =>
        _latentAttention.Run(_pool, absorbed, q, step, cache, scale, chosen, into);

    public void ChoosePositions(Tensor q, Tensor weights, StepInput step, EntryCache keys, Selection chosen) => _indexer.Run(_pool, q, weights, step, keys, chosen);
}
