using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels;

/// <summary>Mixtures of experts: choose, gather, multiply by group, combine.</summary>
internal partial interface IKernels
{
    /// <summary>Fills <paramref name="routes"/> from router logits [tokens, experts].</summary>
    /// <param name="logits">Of every token.</param>
    /// <param name="bias">[1, experts], added for choosing only; null for none.</param>
    /// <param name="router">How.</param>
    /// <param name="routes">Into.</param>
    void Route(Tensor logits, Tensor? bias, RouterConfig router, ExpertRoutes routes);

    /// <summary>The same with the experts looked up by token id; only their weights come from the logits.</summary>
    void Route(Tensor logits, ExpertTable table, StepInput step, RouterConfig router, ExpertRoutes routes);

    /// <summary>into[row] = x[token of the row]</summary>
    void GatherExperts(Tensor x, ExpertRoutes routes, Tensor into);

    /// <summary>into[row] = x[row] · Wᵀ of the row's expert. Weights of an expert without rows are not read.</summary>
    void ExpertLinear(Tensor x, Matrix[] experts, ExpertRoutes routes, Tensor into);

    /// <summary>into[t] += Σ weight · x[row] over the experts of t, best first.</summary>
    void CombineExperts(Tensor x, ExpertRoutes routes, Tensor into);

    /// <summary>x *= σ(gate)</summary>
    /// <param name="gate">[rows, columns], or [rows, 1] for the whole row.</param>
    /// <param name="x">[rows, columns]</param>
    void SigmoidScale(Tensor gate, Tensor x);
}

internal static partial class KernelExtensions
{
    public static Tensor ExpertLinear(this IKernels k, Tensor x, Matrix[] experts, ExpertRoutes routes, Workspace.Frame frame)
    {
        var into = frame.Tensor(x.Rows, experts[0].Rows);
        k.ExpertLinear(x, experts, routes, into);
        return into;
    }
}
