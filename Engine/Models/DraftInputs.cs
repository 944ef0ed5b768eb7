using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>How a draft module begins: W · [norm(embedding of the following token) ‖ norm(hidden)].</summary>
internal sealed class DraftInputs
{
    private readonly IKernels _kernels;
    private readonly Matrix _embedding, _join;
    private readonly Tensor _embeddingNorm, _hiddenNorm;
    private readonly float _epsilon;

    /// <param name="kernels">Compute.</param>
    /// <param name="weights">To read from.</param>
    /// <param name="embedding">The model's.</param>
    /// <param name="hidden">Columns of the stream.</param>
    /// <param name="names">Tensors.</param>
    /// <param name="epsilon">Of the norms.</param>
    /// <param name="normOffset">Added to their stored weights.</param>
    public DraftInputs(IKernels kernels, WeightReader weights, Matrix embedding, int hidden, (string EmbeddingNorm, string HiddenNorm, string Join) names, float epsilon, float normOffset = 0)
    {
        weights.EndDigest();                               // drafts decide nothing that a block holds
        (_kernels, _embedding, _epsilon) = (kernels, embedding, epsilon);
        _embeddingNorm = weights.Vector(names.EmbeddingNorm, hidden, normOffset);
        _hiddenNorm = weights.Vector(names.HiddenNorm, hidden, normOffset);
        _join = weights.Matrix(2 * hidden, (names.Join, hidden));
    }

    /// <returns>[tokens, hidden], the residual stream of the module's layer.</returns>
    public Tensor Join(StepInput step, Tensor hidden, Workspace.Frame frame)
    {
        var joined = frame.Tensor(hidden.Rows, 2 * hidden.Columns);
        var (embedded, past) = (joined.Slice(0, hidden.Columns), joined.Slice(hidden.Columns, hidden.Columns));
        _kernels.Embed(step, _embedding, embedded);
        _kernels.RmsNorm(embedded, _embeddingNorm, _epsilon, into: embedded);
        _kernels.RmsNorm(hidden, _hiddenNorm, _epsilon, into: past);
        return _kernels.Linear(joined, _join, frame);
    }
}
