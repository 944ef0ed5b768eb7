using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels;

/// <summary>Attention over a window and compressed entries, and hyper-connections.</summary>
internal partial interface IKernels
{
    /// <summary>y = x · (mean(x²) + ε)^-½ over each run of <paramref name="width"/> columns. <paramref name="into"/> may be <paramref name="x"/>.</summary>
    void RmsNormUnweighted(Tensor x, int width, float epsilon, Tensor into);

    /// <summary>
    /// Makes every entry whose last token is in the step: per column the softmax of its tokens' gates weighs their values; then norm and rotation.
    /// Afterwards keeps the step's <paramref name="inputs"/> [tokens, values ‖ gates] for the entries that are still open.
    /// </summary>
    void Compress(Tensor inputs, Compressor compressor, StepInput step, InputRing ring, EntryCache entries, Workspace.Frame frame);

    /// <summary>
    /// softmax over the last <paramref name="windowSize"/> rows, the entries (null where a layer has none) and a sink without value, [1, heads]; rows are keys and
    /// values at once, shared by all heads. <paramref name="chosen"/> says which entries a token attends to; null: all it sees.
    /// </summary>
    void WindowAttention(Tensor q, StepInput step, CachedRows window, int windowSize, EntryCache? entries, Selection? chosen, Tensor sinks, float scale, Tensor into, Workspace.Frame frame);

    /// <summary>
    /// Turns the raw mixing logits of n parallel residual streams [tokens, n × width] into weights, in place: [pre n ‖ post n ‖ combine n × n], the last made
    /// doubly stochastic, or pre alone; and collapses the streams: <paramref name="into"/> [tokens, width] = Σ pre_i · stream_i.
    /// </summary>
    void HyperCollapse(Tensor streams, Tensor mix, HyperWeights weights, Tensor into);

    /// <summary>stream_i = post_i · x + Σ_j combine_ji · stream_j</summary>
    void HyperExpand(Tensor x, Tensor mix, Tensor streams);
}

/// <summary>Scales and offsets of hyper-connection logits.</summary>
/// <param name="Streams">n.</param>
/// <param name="Base">[1, n] or [1, 2n + n²]</param>
/// <param name="Scale">[1, 1] or [1, 3]: of pre, post and combine.</param>
/// <param name="Epsilon">Keeps weights and sums positive.</param>
/// <param name="Iterations">Normalisations of columns; of rows one fewer, after the softmax.</param>
internal sealed record HyperWeights(int Streams, Tensor Base, Tensor Scale, float Epsilon, int Iterations);
