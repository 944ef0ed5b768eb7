using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>Attention over a window and compressed entries, and hyper-connections.</summary>
internal sealed unsafe partial class CpuKernels
{
    public void RmsNormUnweighted(Tensor x, int width, float epsilon, Tensor into)
    {
        var rows = RowsPerItem(x);
        _pool.Run(new UnweightedNorm.Work(x, width, epsilon, into, rows), Items(x, rows));
    }

    public void Compress(Tensor inputs, Compressor compressor, StepInput step, InputRing ring, EntryCache entries, Workspace.Frame frame) =>
        EntryPooling.Run(_pool, inputs, compressor, step, ring, entries, frame);

    public void WindowAttention(Tensor q, StepInput step, CachedRows window, int windowSize, EntryCache? entries, Selection? chosen, Tensor sinks, float scale, Tensor into, Workspace.Frame frame) =>
        Cpu.WindowAttention.Run(_pool, q, step, window, windowSize, entries, chosen, sinks, scale, into, frame);

    public void HyperCollapse(Tensor streams, Tensor mix, HyperWeights weights, Tensor into)
    {
        var rows = RowsPerItem(streams);
        _pool.Run(new HyperConnection.CollapseWork(streams, mix, weights, into, rows), Items(streams, rows));
    }

    public void HyperExpand(Tensor x, Tensor mix, Tensor streams)
    {
        var rows = RowsPerItem(streams);
        _pool.Run(new HyperConnection.ExpandWork(x, mix, streams, rows), Items(streams, rows));
    }
}
