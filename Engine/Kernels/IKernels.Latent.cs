using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels;

/// <summary>Multi-head latent attention and the indexer that makes it sparse.</summary>
internal partial interface IKernels
{
    /// <summary>y = (x − mean) · (variance + ε)^-½ · weight + bias over whole rows. <paramref name="into"/> may be <paramref name="x"/>.</summary>
    void LayerNorm(Tensor x, Tensor weight, Tensor bias, float epsilon, Tensor into);

    /// <summary>Products of their own for groups of columns: into[t, g] = x[t, g] · W_gᵀ, group g of x starting at column g · <paramref name="xStride"/> and of the result at g · rows of a matrix.</summary>
    void GroupLinear(Tensor x, int xStride, Matrix[] groups, Tensor into);

    /// <summary>Writes the step's rows to their positions; later operations of the step read them.</summary>
    void StoreRows(Tensor x, StepInput step, CachedRows cache);

    /// <summary>
    /// Causal softmax((q̃·c + q_pe·k_pe)·scale)·c of each query head over the latents of its sequence, which all heads share.
    /// </summary>
    /// <param name="absorbed">q̃ [tokens, heads · latent]: queries moved into the latent space.</param>
    /// <param name="q">[tokens, heads · head_dim]; the last <c>cache.Plain</c> columns of a head are its rotated part.</param>
    /// <param name="step">The step.</param>
    /// <param name="cache">Rows c ‖ k_pe.</param>
    /// <param name="scale">On the scores.</param>
    /// <param name="chosen">The positions each token attends to; null: all it sees. Choosing all is the same, bit for bit.</param>
    /// <param name="into">[tokens, heads · latent]</param>
    void LatentAttention(Tensor absorbed, Tensor q, StepInput step, CachedRows cache, float scale, Selection? chosen, Tensor into);

    /// <summary>
    /// For every token the <c>chosen.Most</c> positions of the highest Σ_h weight_h · max(0, q_h·k), equal scores by lowest position; all where no more are visible.
    /// </summary>
    /// <param name="q">[tokens, heads · columns of a key]</param>
    /// <param name="weights">[tokens, heads]</param>
    /// <param name="step">The step.</param>
    /// <param name="keys">One a position, or an entry of several: then entries are chosen. Shared by the heads.</param>
    /// <param name="chosen">Filled.</param>
    void ChoosePositions(Tensor q, Tensor weights, StepInput step, EntryCache keys, Selection chosen);
}
