using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Models;

/// <summary>The second half of a layer: dense, or a mixture of experts.</summary>
internal interface IFeedForward
{
    /// <summary>x += f(h)</summary>
    /// <param name="h">[tokens, hidden], normed.</param>
    /// <param name="step">For routers that look at token ids.</param>
    /// <param name="workspace">Temporaries.</param>
    /// <param name="x">The residual stream.</param>
    void AddTo(Tensor x, Tensor h, StepInput step, Workspace workspace);
}
