using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Dense Qwen3: pre-norm, grouped-query attention with q/k norm per head, rotary positions, SwiGLU.</summary>
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
        _rope = RopeFrequencies.Create(config.HeadDim, config.Rope.Theta, config.Rope.Yarn);
        _embedding = weights.Matrix(config.HiddenSize, ("model.embed_tokens.weight", config.VocabSize));
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(config, weights, $"model.layers.{i}."))];
        _norm = weights.Vector("model.norm.weight", config.HiddenSize);
        if (config.TiedEmbeddings) weights.Duplicate("lm_head.weight", of: "model.embed_tokens.weight");
        _head = config.TiedEmbeddings ? _embedding : weights.Matrix(config.HiddenSize, ("lm_head.weight", config.VocabSize));
    }

    public void Forward(StepInput step, KvArena kv, Workspace workspace, Tensor logits)
    {
        using var frame = workspace.Enter();
        var x = frame.Tensor(step.TokenCount, _config.HiddenSize);
        var (cos, sin) = (frame.Tensor(step.TokenCount, _config.HeadDim / 2), frame.Tensor(step.TokenCount, _config.HeadDim / 2));
        _kernels.Embed(step, _embedding, x);
        _kernels.RopeAngles(step, _rope, cos, sin);
        for (var i = 0; i < _layers.Length; i++) Forward(_layers[i], x, step, kv.Layer(i), cos, sin, workspace);
        if (step.LogitsCount == 0) return;

        var last = frame.Tensor(step.LogitsCount, _config.HiddenSize);
        _kernels.GatherLogitsRows(x, step, last);
        _kernels.RmsNorm(last, _norm, _config.NormEpsilon, into: last);
        _kernels.Linear(last, _head, into: logits);
    }

    /// <summary>x [tokens, hidden] is the residual stream.</summary>
    private void Forward(Layer w, Tensor x, StepInput step, LayerKv kv, Tensor cos, Tensor sin, Workspace workspace)
    {
        using var frame = workspace.Enter();
        var (k, c) = (_kernels, _config);
        var (queries, keys) = (c.Heads * c.HeadDim, c.KvHeads * c.HeadDim);

        var h = k.RmsNorm(x, w.AttentionNorm, c.NormEpsilon, frame);
        var qkv = k.Linear(h, w.Qkv, frame);                                 // [tokens, q heads ‖ k heads ‖ v heads]
        var (q, key, value) = (qkv.Slice(0, queries), qkv.Slice(queries, keys), qkv.Slice(queries + keys, keys));
        k.RmsNorm(q, w.QNorm, c.NormEpsilon, into: q);                       // per head
        k.RmsNorm(key, w.KNorm, c.NormEpsilon, into: key);
        k.Rope(q, c.HeadDim, cos, sin);
        k.Rope(key, c.HeadDim, cos, sin);
        k.StoreKv(key, value, step, kv);                                     // before attending: a token sees itself
        var attended = k.PagedAttention(q, step, kv, scale: 1 / MathF.Sqrt(c.HeadDim), frame);
        k.LinearAdd(attended, w.O, into: x);                                 // x += O · attention

        h = k.RmsNorm(x, w.MlpNorm, c.NormEpsilon, frame);
        var gateUp = k.Linear(h, w.GateUp, frame);
        var gated = k.SiluMul(gateUp.Slice(0, c.IntermediateSize), gateUp.Slice(c.IntermediateSize, c.IntermediateSize), frame);
        k.LinearAdd(gated, w.Down, into: x);                                 // x += Down · (silu(Gate·h) ⊙ Up·h)
    }

    private sealed class Layer
    {
        public Layer(Qwen3Config c, WeightReader weights, string prefix)
        {
            var (attention, mlp) = (prefix + "self_attn.", prefix + "mlp.");
            AttentionNorm = weights.Vector(prefix + "input_layernorm.weight", c.HiddenSize);
            Qkv = weights.Matrix(c.HiddenSize,
                (attention + "q_proj.weight", c.Heads * c.HeadDim), (attention + "k_proj.weight", c.KvHeads * c.HeadDim), (attention + "v_proj.weight", c.KvHeads * c.HeadDim));
            QNorm = weights.Vector(attention + "q_norm.weight", c.HeadDim);
            KNorm = weights.Vector(attention + "k_norm.weight", c.HeadDim);
            O = weights.Matrix(c.Heads * c.HeadDim, (attention + "o_proj.weight", c.HiddenSize));
            MlpNorm = weights.Vector(prefix + "post_attention_layernorm.weight", c.HiddenSize);
            GateUp = weights.Matrix(c.HiddenSize, (mlp + "gate_proj.weight", c.IntermediateSize), (mlp + "up_proj.weight", c.IntermediateSize));
            Down = weights.Matrix(c.IntermediateSize, (mlp + "down_proj.weight", c.HiddenSize));
        }

        public Tensor AttentionNorm { get; }
        public Matrix Qkv { get; }
        public Tensor QNorm { get; }
        public Tensor KNorm { get; }
        public Matrix O { get; }
        public Tensor MlpNorm { get; }
        public Matrix GateUp { get; }
        public Matrix Down { get; }
    }
}
