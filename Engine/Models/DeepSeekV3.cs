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

    public DeepSeekV3(DeepSeekV3Config config, WeightReader weights, IKernels kernels)
    {
        (_config, _kernels) = (config, kernels);
        _rope = RopeFrequencies.Create(config.Attention.RopeDim, config.Attention.Rope.Theta, config.Attention.Rope.Scaling);
        _embedding = weights.Matrix(config.HiddenSize, ("model.embed_tokens.weight", config.VocabSize));
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(config, i, weights, kernels))];
        _norm = weights.Vector("model.norm.weight", config.HiddenSize);
        if (config.TiedEmbeddings) weights.Duplicate("lm_head.weight", of: "model.embed_tokens.weight");
        _head = config.TiedEmbeddings ? _embedding : weights.Matrix(config.HiddenSize, ("lm_head.weight", config.VocabSize));
    }

    public void Forward(StepInput step, KvArena kv, Workspace workspace, Tensor logits)
    {
        using var frame = workspace.Enter();
        var x = frame.Tensor(step.TokenCount, _config.HiddenSize);           // the residual stream
        var h = frame.Tensor(step.TokenCount, _config.HiddenSize);
        var (cos, sin) = (frame.Tensor(step.TokenCount, _config.Attention.RopeDim / 2), frame.Tensor(step.TokenCount, _config.Attention.RopeDim / 2));
        _kernels.Embed(step, _embedding, x);
        _kernels.RopeAngles(step, _rope, cos, sin);
        var chosen = Choice(step, frame);
        for (int i = 0, plane = 0; i < _layers.Length; i++)
        {
            var w = _layers[i];
            var latents = new CachedRows(kv.Rows(plane++), _config.Attention.LatentRank, _config.Attention.RopeDim);
            var keys = _config.HasIndexer(i) ? new CachedRows(kv.Rows(plane++), _config.Attention.Indexer!.HeadDim, 0) : default;
            _kernels.RmsNorm(x, w.AttentionNorm, _config.NormEpsilon, into: h);
            w.Attention.AddTo(x, h, step, latents, keys, chosen, cos, sin, workspace);
            _kernels.RmsNorm(x, w.FeedForwardNorm, _config.NormEpsilon, into: h);
            w.FeedForward.AddTo(x, h, step, workspace);
        }
        if (step.LogitsCount == 0) return;

        var last = frame.Tensor(step.LogitsCount, _config.HiddenSize);
        _kernels.GatherLogitsRows(x, step, last);
        _kernels.RmsNorm(last, _norm, _config.NormEpsilon, into: last);
        _kernels.Linear(last, _head, into: logits);
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
        public Layer(DeepSeekV3Config c, int index, WeightReader weights, IKernels kernels)
        {
            var prefix = $"model.layers.{index}.";
            AttentionNorm = weights.Vector(prefix + "input_layernorm.weight", c.HiddenSize);
            Attention = new(c.Attention, kernels, weights, prefix + "self_attn.", c.HasIndexer(index));
            FeedForwardNorm = weights.Vector(prefix + "post_attention_layernorm.weight", c.HiddenSize);
            FeedForward = c.SparseLayers.Contains(index)
                ? new Mixture(c.Experts, kernels, weights, prefix + "mlp.", c.HiddenSize, c.VocabSize)
                : new SwiGlu(kernels, weights, prefix + "mlp.", c.HiddenSize, c.IntermediateSize);
        }

        public Tensor AttentionNorm { get; }
        public MlaAttention Attention { get; }
        public Tensor FeedForwardNorm { get; }
        public IFeedForward FeedForward { get; }
    }
}
