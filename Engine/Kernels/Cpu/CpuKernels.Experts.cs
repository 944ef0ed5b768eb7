using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels
{
    public void Route(Tensor logits, Tensor? bias, RouterConfig router, ExpertRoutes routes)
    {
        var work = new ExpertRouting.Work(logits, bias ?? default, default, null, router, routes);
        _pool.Run(work, work.Items);
        routes.Sort();
    }

    public void Route(Tensor logits, ExpertTable table, StepInput step, RouterConfig router, ExpertRoutes routes)
    {
        var work = new ExpertRouting.Work(logits, default, table, step, router, routes);
        _pool.Run(work, work.Items);
        routes.Sort();
    }

    public void GatherExperts(Tensor x, ExpertRoutes routes, Tensor into)
    {
        var work = new ExpertRows.Gather(x, routes, into, RowsPerItem(into));
        _pool.Run(work, Items(into, RowsPerItem(into)));
    }

    public void ExpertLinear(Tensor x, Matrix[] experts, ExpertRoutes routes, Tensor into) => Cpu.ExpertLinear.Run(_pool, x, experts, routes, into);

    public void CombineExperts(Tensor x, ExpertRoutes routes, Tensor into)
    {
        var work = new ExpertRows.Combine(x, routes, into, RowsPerItem(into));
        _pool.Run(work, Items(into, RowsPerItem(into)));
    }

    public void SigmoidScale(Tensor gate, Tensor x)
    {
        var work = new SigmoidScale.Work(gate, x, RowsPerItem(x));
        _pool.Run(work, Items(x, RowsPerItem(x)));
    }
}
