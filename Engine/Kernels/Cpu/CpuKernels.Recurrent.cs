using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels
{
    public void CausalConvolution(Tensor x, Tensor weight, StepInput step, LayerState state, Tensor into)
    {
        var work = new CausalConvolution.Work(x, weight, step, state, into);
        _pool.Run(work, work.Items);
    }

    public void L2Norm(Tensor x, int width, float epsilon, float scale)
    {
        var work = new L2Norm.Work(x, width, epsilon, scale, RowsPerItem(x));
        _pool.Run(work, Items(x, RowsPerItem(x)));
    }

    public void DeltaGates(Tensor logRate, Tensor bias, Tensor decay, Tensor rate)
    {
        var work = new GatedDelta.Gates(logRate, bias, decay, rate);
        _pool.Run(work, work.Items);
    }

    public void GatedDelta(Tensor q, Tensor k, Tensor v, Tensor decay, Tensor rate, int keyDim, StepInput step, LayerState state, Tensor into)
    {
        var work = new GatedDelta.Work(q, k, v, decay, rate, keyDim, step, state, into);
        _pool.Run(work, work.Items);
    }
}
