using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>DeepSeek-V3 and its relatives: pre-norm, latent attention, a few dense layers, then mixtures of experts with shared ones.</summary>
internal sealed class DeepSeekV3 : IModel
{
    private readonly DeepSeekV3Config _config;
    private readonly IKernels _kernels;
    private readonly Matrix _embedding, _head;
    private readonly Tensor _norm;
    private readonly Layer[] _layers;
    private readonly RopeFrequencies _rope;
    private readonly DraftModule? _drafts;

    public DeepSeekV3(DeepSeekV3Config config, WeightReader weights, IKernels kernels, bool drafts)
    {
        (_config, _kernels) = (config, kernels);
        _rope = RopeFrequencies.Create(config.Attention.RopeDim, config.Attention.Rope.Theta, config.Attention.Rope.Scaling);
        _embedding = weights.Matrix(config.HiddenSize, ("model.embed_tokens.weight", config.VocabSize));
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(config, i, config.SparseLayers.Contains(i), weights, kernels))];
        _norm = weights.Vector("model.norm.weight", config.HiddenSize);
        if (config.TiedEmbeddings) weights.Duplicate("lm_head.weight", of: "model.embed_tokens.weight");
        _head = config.TiedEmbeddings ? _embedding : weights.Matrix(config.HiddenSize, ("lm_head.weight", config.VocabSize));
        if (drafts) _drafts = new(this, weights);
    }

    public IDraftModule? Drafts => _drafts;

    public void Forward(StepInput step, KvArena kv, Workspace workspace, Tensor logits, Tensor hidden)
    {
        using var frame = workspace.Enter();
        var x = frame.Tensor(step.TokenCount, _config.HiddenSize);           // the residual stream
        var h = frame.Tensor(step.TokenCount, _config.HiddenSize);
        var (cos, sin) = (frame.Tensor(step.TokenCount, _config.Attention.RopeDim / 2), frame.Tensor(step.TokenCount, _config.Attention.RopeDim / 2));
        _kernels.Embed(step, _embedding, x);
        _kernels.RopeAngles(step, _rope, cos, sin);
        var chosen = Choice(step, frame);
        var plane = 0;
        for (var i = 0; i < _layers.Length; i++) Forward(_layers[i], x, h, step, kv, ref plane, _config.HasIndexer(i), chosen, cos, sin, workspace);
        if (hidden.Rows > 0) _kernels.RmsNorm(x, _norm, _config.NormEpsilon, into: hidden);
        if (step.LogitsCount == 0) return;

        var last = frame.Tensor(step.LogitsCount, _config.HiddenSize);
        _kernels.GatherLogitsRows(x, step, last);
        _kernels.RmsNorm(last, _norm, _config.NormEpsilon, into: last);
        _kernels.Linear(last, _head, into: logits);
    }

    private void Forward(
        Layer w, Tensor x, Tensor h, StepInput step, KvArena kv, ref int plane, bool indexed, Selection? chosen, Tensor cos, Tensor sin, Workspace workspace)
    {
        var latents = new CachedRows(kv.Rows(plane++), _config.Attention.LatentRank, _config.Attention.RopeDim);
        var keys = indexed ? new CachedRows(kv.Rows(plane++), _config.Attention.Indexer!.HeadDim, 0) : default;
        _kernels.RmsNorm(x, w.AttentionNorm, _config.NormEpsilon, into: h);
        w.Attention.AddTo(x, h, step, latents, keys, chosen, cos, sin, workspace);
        _kernels.RmsNorm(x, w.FeedForwardNorm, _config.NormEpsilon, into: h);
        w.FeedForward.AddTo(x, h, step, workspace);
    }

    /// <summary>Room for the positions that tokens attend to; null when all attend to all they see, which is the same, bit for bit, and needs no scores.</summary>
    private Selection? Choice(StepInput step, Workspace.Frame frame)
    {
        if (_config.Attention.Indexer is not { } indexer) return null;
        foreach (var sequence in step.Sequences)
            if (sequence.ContextLength > indexer.TopK) return frame.Selection(step.TokenCount, indexer.TopK);
        return null;
    }

    private sealed class Layer
    {
        public Layer(DeepSeekV3Config c, int index, bool sparse, WeightReader weights, IKernels kernels)
        {
            var prefix = $"model.layers.{index}.";
            AttentionNorm = weights.Vector(prefix + "input_layernorm.weight", c.HiddenSize);
            Attention = new(c.Attention, kernels, weights, prefix + "self_attn.", c.HasIndexer(index));
            FeedForwardNorm = weights.Vector(prefix + "post_attention_layernorm.weight", c.HiddenSize);
            FeedForward = sparse
                ? new Mixture(c.Experts, kernels, weights, prefix + "mlp.", c.HiddenSize, c.VocabSize)
                : new SwiGlu(kernels, weights, prefix + "mlp.", c.HiddenSize, c.IntermediateSize);
        }

        public Tensor AttentionNorm { get; }
        public MlaAttention Attention { get; }
        public Tensor FeedForwardNorm { get; }
        public IFeedForward FeedForward { get; }
    }

    /// <summary>The layer after the last, with experts where the checkpoint has them; embedding and head are the model's.</summary>
    private sealed class DraftModule : IDraftModule
    {
        private readonly DeepSeekV3 _model;
        private readonly DraftInputs _inputs;
        private readonly Layer _layer;
        private readonly Tensor _norm;
        private readonly bool _indexed;

        public DraftModule(DeepSeekV3 model, WeightReader weights)
        {
            var (c, k, index) = (model._config, model._kernels, model._config.Layers);
            var prefix = $"model.layers.{index}.";
            (_model, _indexed) = (model, c.HasIndexer(index));
            _inputs = new(k, weights, model._embedding, c.HiddenSize, (prefix + "enorm.weight", prefix + "hnorm.weight", prefix + "eh_proj.weight"), c.NormEpsilon);
            _layer = new(c, index, weights.Has(prefix + "mlp.gate.weight"), weights, k);
            _norm = weights.Vector(prefix + "shared_head.norm.weight", c.HiddenSize);
        }

        public int HiddenSize => _model._config.HiddenSize;

        public void Forward(StepInput step, Tensor hidden, KvArena kv, Workspace workspace, Tensor output, Tensor logits)
        {
            using var frame = workspace.Enter();
            var (k, c) = (_model._kernels, _model._config);
            var x = _inputs.Join(step, hidden, frame);
            var h = frame.Tensor(step.TokenCount, c.HiddenSize);
            var (cos, sin) = (frame.Tensor(step.TokenCount, c.Attention.RopeDim / 2), frame.Tensor(step.TokenCount, c.Attention.RopeDim / 2));
            k.RopeAngles(step, _model._rope, cos, sin);
            var plane = 0;
            _model.Forward(_layer, x, h, step, kv, ref plane, _indexed, _model.Choice(step, frame), cos, sin, workspace);
            if (step.LogitsCount == 0) return;
            k.GatherLogitsRows(x, step, output);
            k.RmsNorm(output, _norm, c.NormEpsilon, into: output);
            k.Linear(output, _model._head, into: logits);
        }
    }
}
