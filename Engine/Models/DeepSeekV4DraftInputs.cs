using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>How DeepSeek-V4's draft module begins: stream_i = E · norm(embedding of the following token) + H · norm(stream_i of the model).</summary>
internal sealed class DeepSeekV4DraftInputs
{
    private readonly DeepSeekV4Config _config;
    private readonly IKernels _kernels;
    private readonly Matrix _embedding, _fromEmbedding, _fromHidden;
    private readonly Tensor _embeddingNorm, _hiddenNorm;

    /// <param name="c">Shapes.</param>
    /// <param name="kernels">Compute.</param>
    /// <param name="weights">To read from.</param>
    /// <param name="embedding">The model's.</param>
    /// <param name="prefix">Of the module, with its dot.</param>
    public DeepSeekV4DraftInputs(DeepSeekV4Config c, IKernels kernels, WeightReader weights, Matrix embedding, string prefix)
    {
        weights.EndDigest();                               // drafts decide nothing that a block holds
        (_config, _kernels, _embedding) = (c, kernels, embedding);
        _embeddingNorm = weights.Vector(prefix + "enorm.weight", c.HiddenSize);
        _hiddenNorm = weights.Vector(prefix + "hnorm.weight", c.HiddenSize);
        _fromEmbedding = weights.Matrix(c.HiddenSize, (prefix + "e_proj.weight", c.HiddenSize));
        _fromHidden = weights.Matrix(c.HiddenSize, (prefix + "h_proj.weight", c.HiddenSize));
    }

    /// <param name="step">Tokens that follow the places.</param>
    /// <param name="hidden">[tokens, streams × hidden]</param>
    /// <param name="frame">Of the result.</param>
    /// <returns>The streams of the module's layer, in the same shape.</returns>
    public Tensor Join(StepInput step, Tensor hidden, Workspace.Frame frame)
    {
        var (k, width) = (_kernels, _config.HiddenSize);
        var embedded = frame.Tensor(hidden.Rows, width);
        k.Embed(step, _embedding, embedded);
        k.RmsNorm(embedded, _embeddingNorm, _config.NormEpsilon, into: embedded);
        var shared = k.Linear(embedded, _fromEmbedding, frame);
        var past = k.RmsNorm(hidden, _hiddenNorm, _config.NormEpsilon, frame);   // each stream by itself
        var streams = frame.Tensor(hidden.Rows, hidden.Columns);
        for (var i = 0; i < _config.Streams; i++)
        {
            var stream = streams.Slice(i * width, width);
            for (var row = 0; row < stream.Rows; row++) shared.RowSpan(row).CopyTo(stream.RowSpan(row));
            k.LinearAdd(past.Slice(i * width, width), _fromHidden, into: stream);
        }
        return streams;
    }
}
