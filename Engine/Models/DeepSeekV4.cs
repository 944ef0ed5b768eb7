using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>
/// DeepSeek-V4: parallel residual streams, attention over a window and compressed entries with one row for all heads, grouped low-rank output,
/// experts chosen by token id in the first layers and by score in the others.
/// </summary>
internal sealed class DeepSeekV4 : IModel
{
    private readonly DeepSeekV4Config _config;
    private readonly IKernels _kernels;
    private readonly Matrix _embedding, _head;
    private readonly Tensor _norm;
    private readonly DeepSeekV4Hyper _collapse;
    private readonly Layer[] _layers;
    private readonly (RopeFrequencies Forward, RopeFrequencies Inverse) _rope, _compressedRope;
    private readonly DraftModule? _drafts;

    public DeepSeekV4(DeepSeekV4Config config, WeightReader weights, IKernels kernels, bool drafts)
    {
        (_config, _kernels) = (config, kernels);
        _rope = Rope(config.Rope);
        _compressedRope = Rope(config.CompressedRope);
        _embedding = weights.Matrix(config.HiddenSize, ("embed.weight", config.VocabSize));
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(config, kernels, weights, $"layers.{i}.", config.ExpertsOf(i), config.Ratios[i], config.FirstPlane(i), _compressedRope.Forward))];
        _collapse = new(config, weights, "hc_head_", whole: false);
        _norm = weights.Vector("norm.weight", config.HiddenSize);
        _head = weights.Matrix(config.HiddenSize, ("head.weight", config.VocabSize));
        if (drafts) _drafts = new(this, weights);
    }

    public IDraftModule? Drafts => _drafts;

    public void Forward(StepInput step, KvArena kv, Workspace workspace, Tensor logits, Tensor hidden)
    {
        using var frame = workspace.Enter();
        var (k, c) = (_kernels, _config);
        // What a draft module goes on from are the streams themselves, as the last layer leaves them.
        var streams = hidden.Rows > 0 ? hidden : frame.Tensor(step.TokenCount, c.Streams * c.HiddenSize);
        for (var i = 0; i < c.Streams; i++) k.Embed(step, _embedding, streams.Slice(i * c.HiddenSize, c.HiddenSize));
        var (plain, compressed) = (Angles(step, _rope, frame), Angles(step, _compressedRope, frame));
        for (var i = 0; i < _layers.Length; i++) Forward(_layers[i], streams, step, kv, c.Ratios[i] == 0 ? plain : compressed, workspace);
        if (step.LogitsCount == 0) return;

        var last = frame.Tensor(step.LogitsCount, streams.Columns);
        k.GatherLogitsRows(streams, step, last);
        Head(last, _collapse, _norm, logits, frame);
    }

    private void Head(Tensor streams, DeepSeekV4Hyper collapse, Tensor norm, Tensor logits, Workspace.Frame frame)
    {
        var (_, x) = collapse.Collapse(_kernels, streams, frame);
        _kernels.RmsNorm(x, norm, _config.NormEpsilon, into: x);
        _kernels.Linear(x, _head, into: logits);
    }

    private (RopeFrequencies Forward, RopeFrequencies Inverse) Rope(RopeConfig rope)
    {
        var forward = RopeFrequencies.Create(_config.RopeDim, rope.Theta, rope.Scaling);
        return (forward, forward.Inverse());
    }

    /// <returns>Of every token; <c>Back</c> is the sine of the way back.</returns>
    private (Tensor Cos, Tensor Sin, Tensor Back) Angles(StepInput step, (RopeFrequencies Forward, RopeFrequencies Inverse) rope, Workspace.Frame frame)
    {
        var (cos, sin) = (frame.Tensor(step.TokenCount, _config.RopeDim / 2), frame.Tensor(step.TokenCount, _config.RopeDim / 2));
        var back = frame.Tensor(step.TokenCount, _config.RopeDim / 2);
        _kernels.RopeAngles(step, rope.Inverse, cos, back);                  // the same cosines
        _kernels.RopeAngles(step, rope.Forward, cos, sin);
        return (cos, sin, back);
    }

    /// <summary>streams [tokens, streams × hidden] are the residual.</summary>
    private void Forward(Layer w, Tensor streams, StepInput step, KvArena kv, (Tensor Cos, Tensor Sin, Tensor Back) rope, Workspace workspace)
    {
        using var frame = workspace.Enter();
        var (k, c) = (_kernels, _config);

        var (mix, h) = w.AttentionHyper.Collapse(k, streams, frame);
        k.RmsNorm(h, w.AttentionNorm, c.NormEpsilon, into: h);
        k.HyperExpand(w.Attention.Forward(k, h, step, kv, rope, frame), mix, streams);

        (mix, h) = w.MlpHyper.Collapse(k, streams, frame);
        k.RmsNorm(h, w.MlpNorm, c.NormEpsilon, into: h);
        var mixed = frame.Tensor(h.Rows, h.Columns);
        for (var row = 0; row < mixed.Rows; row++) mixed.RowSpan(row).Clear();
        w.Experts.AddTo(mixed, h, step, workspace);
        k.HyperExpand(mixed, mix, streams);
    }

    private sealed class Layer
    {
        public Layer(DeepSeekV4Config c, IKernels kernels, WeightReader weights, string prefix, MixtureConfig experts, int ratio, int firstPlane, RopeFrequencies compressedRope)
        {
            AttentionHyper = new(c, weights, prefix + "hc_attn_", whole: true);
            AttentionNorm = weights.Vector(prefix + "attn_norm.weight", c.HiddenSize);
            Attention = new(c, weights, prefix + "attn.", ratio, firstPlane, compressedRope);
            MlpHyper = new(c, weights, prefix + "hc_ffn_", whole: true);
            MlpNorm = weights.Vector(prefix + "ffn_norm.weight", c.HiddenSize);
            Experts = new(experts, kernels, weights, prefix + "ffn.", c.HiddenSize, c.VocabSize);
        }

        public DeepSeekV4Hyper AttentionHyper { get; }
        public Tensor AttentionNorm { get; }
        public DeepSeekV4Attention Attention { get; }
        public DeepSeekV4Hyper MlpHyper { get; }
        public Tensor MlpNorm { get; }
        public Mixture Experts { get; }
    }

    /// <summary>
    /// A layer with a window that never chooses experts by token id, between an entrance of its own and a collapse and norm of its own; embedding
    /// and head are the model's. It goes on from its streams, too.
    /// </summary>
    private sealed class DraftModule : IDraftModule
    {
        private const string Prefix = "mtp.0.";

        private readonly DeepSeekV4 _model;
        private readonly DeepSeekV4DraftInputs _inputs;
        private readonly Layer _layer;
        private readonly DeepSeekV4Hyper _collapse;
        private readonly Tensor _norm;

        public DraftModule(DeepSeekV4 model, WeightReader weights)
        {
            var (c, k) = (model._config, model._kernels);
            _model = model;
            _inputs = new(c, k, weights, model._embedding, Prefix);
            _layer = new(c, k, weights, Prefix, c.Experts, c.DraftRatio, firstPlane: 0, model._compressedRope.Forward);
            _collapse = new(c, weights, Prefix + "hc_head_", whole: false);
            _norm = weights.Vector(Prefix + "norm.weight", c.HiddenSize);
        }

        public int HiddenSize => _model._config.Streams * _model._config.HiddenSize;

        public void Forward(StepInput step, Tensor hidden, KvArena kv, Workspace workspace, Tensor output, Tensor logits)
        {
            using var frame = workspace.Enter();
            var streams = _inputs.Join(step, hidden, frame);
            _model.Forward(_layer, streams, step, kv, _model.Angles(step, _model._rope, frame), workspace);
            if (step.LogitsCount == 0) return;
            _model._kernels.GatherLogitsRows(streams, step, output);
            _model.Head(output, _collapse, _norm, logits, frame);
        }
    }
}
