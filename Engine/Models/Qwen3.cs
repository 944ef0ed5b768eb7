using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Qwen3, dense or with experts: pre-norm, grouped-query attention with q/k norm per head, rotary positions, SwiGLU.</summary>
internal sealed class Qwen3 : IModel
{
    private readonly Qwen3Config _config;
    private readonly IKernels _kernels;
    private readonly Matrix _embedding, _head;
    private readonly Tensor _norm;
    private readonly Layer[] _layers;
    private readonly RopeFrequencies _rope;

    public Qwen3(Qwen3Config config, WeightReader weights, IKernels kernels)
    {
        (_config, _kernels) = (config, kernels);
        _rope = RopeFrequencies.Create(config.HeadDim, config.Rope.Theta, config.Rope.Scaling).By(config.Axes);
        var embedding = config.Prefix + "embed_tokens.weight";
        _embedding = weights.Matrix(config.HiddenSize, (embedding, config.VocabSize));
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(config, i, weights, kernels))];
        _norm = weights.Vector(config.Prefix + "norm.weight", config.HiddenSize);
        if (config.TiedEmbeddings) weights.Duplicate("lm_head.weight", of: embedding);
        _head = config.TiedEmbeddings ? _embedding : weights.Matrix(config.HiddenSize, ("lm_head.weight", config.VocabSize));
    }

    public void Forward(StepInput step, KvArena kv, Workspace workspace, Tensor logits, Tensor hidden)
    {
        using var frame = workspace.Enter();
        var x = frame.Tensor(step.TokenCount, _config.HiddenSize);           // the residual stream
        var h = frame.Tensor(step.TokenCount, _config.HiddenSize);
        var (cos, sin) = (frame.Tensor(step.TokenCount, _config.HeadDim / 2), frame.Tensor(step.TokenCount, _config.HeadDim / 2));
        _kernels.Embed(step, _embedding, x);
        _kernels.PlaceImages(step, x);
        _kernels.RopeAngles(step, _rope, cos, sin);
        for (var i = 0; i < _layers.Length; i++)
        {
            var w = _layers[i];
            _kernels.RmsNorm(x, w.AttentionNorm, _config.NormEpsilon, into: h);
            w.Attention.AddTo(x, h, step, kv.Layer(i), cos, sin, workspace);
            _kernels.RmsNorm(x, w.FeedForwardNorm, _config.NormEpsilon, into: h);
            w.FeedForward.AddTo(x, h, step, workspace);
            if (i < _config.Images?.DeepstackLayers) _kernels.AddDeepstack(step, i, x);
        }
        if (step.LogitsCount == 0) return;

        var last = frame.Tensor(step.LogitsCount, _config.HiddenSize);
        _kernels.GatherLogitsRows(x, step, last);
        _kernels.RmsNorm(last, _norm, _config.NormEpsilon, into: last);
        _kernels.Linear(last, _head, into: logits);
    }

    private sealed class Layer
    {
        public Layer(Qwen3Config c, int index, WeightReader weights, IKernels kernels)
        {
            var prefix = $"{c.Prefix}layers.{index}.";
            AttentionNorm = weights.Vector(prefix + "input_layernorm.weight", c.HiddenSize);
            Attention = new(new(c.HiddenSize, c.Heads, c.KvHeads, c.HeadDim, c.NormEpsilon), kernels, weights, prefix + "self_attn.");
            FeedForwardNorm = weights.Vector(prefix + "post_attention_layernorm.weight", c.HiddenSize);
            FeedForward = c.IsSparse(index)
                ? new Mixture(c.Experts!, kernels, weights, prefix + "mlp.", c.HiddenSize, c.VocabSize)
                : new SwiGlu(kernels, weights, prefix + "mlp.", c.HiddenSize, c.IntermediateSize);
        }

        public Tensor AttentionNorm { get; }
        public QwenAttention Attention { get; }
        public Tensor FeedForwardNorm { get; }
        public IFeedForward FeedForward { get; }
    }
}
