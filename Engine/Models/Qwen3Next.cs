using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Qwen3-Next and the text side of Qwen3.5-MoE: Gated DeltaNet and gated attention layers, both with a mixture of experts. Norm weights are centred on zero.</summary>
internal sealed class Qwen3Next : IModel
{
    private const float Centred = 1;
    private const int StatesPerLayer = 2;

    private readonly Qwen3NextConfig _config;
    private readonly IKernels _kernels;
    private readonly Matrix _embedding, _head;
    private readonly Tensor _norm;
    private readonly Layer[] _layers;
    private readonly RopeFrequencies _rope;

    public Qwen3Next(Qwen3NextConfig config, WeightReader weights, IKernels kernels)
    {
        (_config, _kernels) = (config, kernels);
        _rope = RopeFrequencies.Create(config.RotaryDim, config.Rope.Theta, config.Rope.Scaling).By(config.Axes);
        var embedding = config.Prefix + "embed_tokens.weight";
        _embedding = weights.Matrix(config.HiddenSize, (embedding, config.VocabSize));
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(config, i, weights, kernels))];
        _norm = weights.Vector(config.Prefix + "norm.weight", config.HiddenSize, Centred);
        if (config.TiedEmbeddings) weights.Duplicate("lm_head.weight", of: embedding);
        _head = config.TiedEmbeddings ? _embedding : weights.Matrix(config.HiddenSize, ("lm_head.weight", config.VocabSize));
    }

    public void Forward(StepInput step, KvArena kv, Workspace workspace, Tensor logits)
    {
        using var frame = workspace.Enter();
        var (k, c) = (_kernels, _config);
        var x = frame.Tensor(step.TokenCount, c.HiddenSize);                 // the residual stream
        var h = frame.Tensor(step.TokenCount, c.HiddenSize);
        var (cos, sin) = (frame.Tensor(step.TokenCount, c.RotaryDim / 2), frame.Tensor(step.TokenCount, c.RotaryDim / 2));
        k.Embed(step, _embedding, x);
        k.PlaceImages(step, x);
        k.RopeAngles(step, _rope, cos, sin);
        var (plane, state) = (0, 0);
        foreach (var w in _layers)
        {
            k.RmsNorm(x, w.MixerNorm, c.NormEpsilon, into: h);
            if (w.Attention is not null)
            {
                w.Attention.AddTo(x, h, step, kv.Layer(plane++), cos, sin, workspace);
            }
            else
            {
                w.DeltaNet!.AddTo(x, h, step, kv.State(state), kv.State(state + 1), workspace);
                state += StatesPerLayer;
            }
            k.RmsNorm(x, w.FeedForwardNorm, c.NormEpsilon, into: h);
            w.FeedForward.AddTo(x, h, step, workspace);
        }
        if (step.LogitsCount == 0) return;

        var last = frame.Tensor(step.LogitsCount, c.HiddenSize);
        k.GatherLogitsRows(x, step, last);
        k.RmsNorm(last, _norm, c.NormEpsilon, into: last);
        k.Linear(last, _head, into: logits);
    }

    private sealed class Layer
    {
        public Layer(Qwen3NextConfig c, int index, WeightReader weights, IKernels kernels)
        {
            var prefix = $"{c.Prefix}layers.{index}.";
            MixerNorm = weights.Vector(prefix + "input_layernorm.weight", c.HiddenSize, Centred);
            if (c.IsFull(index)) Attention = new(new(c.HiddenSize, c.Heads, c.KvHeads, c.HeadDim, c.NormEpsilon, Centred, c.GatedAttention), kernels, weights, prefix + "self_attn.");
            else DeltaNet = new(c.DeltaNet, c.HiddenSize, c.NormEpsilon, kernels, weights, prefix + "linear_attn.");
            FeedForwardNorm = weights.Vector(prefix + "post_attention_layernorm.weight", c.HiddenSize, Centred);
            FeedForward = c.SparseLayers.Contains(index)
                ? new Mixture(c.Experts, kernels, weights, prefix + "mlp.", c.HiddenSize, c.VocabSize)
                : new SwiGlu(kernels, weights, prefix + "mlp.", c.HiddenSize, c.IntermediateSize);
        }

        public Tensor MixerNorm { get; }
        /// <summary>This or <see cref="DeltaNet"/>.</summary>
        public QwenAttention? Attention { get; }
        public GatedDeltaNet? DeltaNet { get; }
        public Tensor FeedForwardNorm { get; }
        public IFeedForward FeedForward { get; }
    }
}
