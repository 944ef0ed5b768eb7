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
    private readonly DraftModule? _drafts;

    public Qwen3Next(Qwen3NextConfig config, WeightReader weights, IKernels kernels, bool drafts)
    {
        (_config, _kernels) = (config, kernels);
        _rope = RopeFrequencies.Create(config.RotaryDim, config.Rope.Theta, config.Rope.Scaling).By(config.Axes);
        var embedding = config.Prefix + "embed_tokens.weight";
        _embedding = weights.Matrix(config.HiddenSize, (embedding, config.VocabSize));
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(config, $"{config.Prefix}layers.{i}.", config.IsFull(i), config.SparseLayers.Contains(i), weights, kernels))];
        _norm = weights.Vector(config.Prefix + "norm.weight", config.HiddenSize, Centred);
        if (config.TiedEmbeddings) weights.Duplicate("lm_head.weight", of: embedding);
        _head = config.TiedEmbeddings ? _embedding : weights.Matrix(config.HiddenSize, ("lm_head.weight", config.VocabSize));
        if (drafts) _drafts = new(this, weights);
    }

    public IDraftModule? Drafts => _drafts;

    public void Forward(StepInput step, KvArena kv, Workspace workspace, Tensor logits, Tensor hidden)
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
        if (hidden.Rows > 0) k.RmsNorm(x, _norm, c.NormEpsilon, into: hidden);
        if (step.LogitsCount == 0) return;

        var last = frame.Tensor(step.LogitsCount, c.HiddenSize);
        k.GatherLogitsRows(x, step, last);
        k.RmsNorm(last, _norm, c.NormEpsilon, into: last);
        k.Linear(last, _head, into: logits);
    }

    private sealed class Layer
    {
        public Layer(Qwen3NextConfig c, string prefix, bool full, bool sparse, WeightReader weights, IKernels kernels)
        {
            MixerNorm = weights.Vector(prefix + "input_layernorm.weight", c.HiddenSize, Centred);
            if (full) Attention = new(new(c.HiddenSize, c.Heads, c.KvHeads, c.HeadDim, c.NormEpsilon, Centred, c.GatedAttention), kernels, weights, prefix + "self_attn.");
            else DeltaNet = new(c.DeltaNet, c.HiddenSize, c.NormEpsilon, kernels, weights, prefix + "linear_attn.");
            FeedForwardNorm = weights.Vector(prefix + "post_attention_layernorm.weight", c.HiddenSize, Centred);
            FeedForward = sparse
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

    /// <summary>A full attention layer, with experts where the checkpoint has them; embedding and head are the model's.</summary>
    private sealed class DraftModule : IDraftModule
    {
        private readonly Qwen3Next _model;
        private readonly DraftInputs _inputs;
        private readonly Layer _layer;
        private readonly Tensor _norm;

        public DraftModule(Qwen3Next model, WeightReader weights)
        {
            var (c, k) = (model._config, model._kernels);
            _model = model;
            _inputs = new(k, weights, model._embedding, c.HiddenSize, ("mtp.pre_fc_norm_embedding.weight", "mtp.pre_fc_norm_hidden.weight", "mtp.fc.weight"), c.NormEpsilon, Centred);
            _layer = new(c, "mtp.layers.0.", full: true, weights.Has("mtp.layers.0.mlp.gate.weight"), weights, k);
            _norm = weights.Vector("mtp.norm.weight", c.HiddenSize, Centred);
        }

        public int HiddenSize => _model._config.HiddenSize;

        public void Forward(StepInput step, Tensor hidden, KvArena kv, Workspace workspace, Tensor output, Tensor logits)
        {
            using var frame = workspace.Enter();
            var (k, c) = (_model._kernels, _model._config);
            var x = _inputs.Join(step, hidden, frame);
            var h = frame.Tensor(step.TokenCount, c.HiddenSize);
            var (cos, sin) = (frame.Tensor(step.TokenCount, c.RotaryDim / 2), frame.Tensor(step.TokenCount, c.RotaryDim / 2));
            k.RopeAngles(step, _model._rope, cos, sin);
            k.RmsNorm(x, _layer.MixerNorm, c.NormEpsilon, into: h);
            _layer.Attention!.AddTo(x, h, step, kv.Layer(0), cos, sin, workspace);
            k.RmsNorm(x, _layer.FeedForwardNorm, c.NormEpsilon, into: h);
            _layer.FeedForward.AddTo(x, h, step, workspace);
            if (step.LogitsCount == 0) return;
            k.GatherLogitsRows(x, step, output);
            k.RmsNorm(output, _norm, c.NormEpsilon, into: output);
            k.Linear(output, _model._head, into: logits);
        }
    }
}
