using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Grouped-query attention with a norm on every head of q and k before the rotation.</summary>
internal sealed class QwenAttention
{
    private readonly Shape _shape;
    private readonly IKernels _kernels;
    private readonly Matrix _qkv, _o;
    private readonly Tensor _qNorm, _kNorm;

    public QwenAttention(Shape shape, IKernels kernels, WeightReader weights, string prefix)
    {
        (_shape, _kernels) = (shape, kernels);
        var (queries, keys) = (shape.Heads * shape.HeadDim, shape.KvHeads * shape.HeadDim);
        _qkv = weights.Matrix(shape.Hidden, (prefix + "q_proj.weight", queries), (prefix + "k_proj.weight", keys), (prefix + "v_proj.weight", keys));
        _qNorm = weights.Vector(prefix + "q_norm.weight", shape.HeadDim);
        _kNorm = weights.Vector(prefix + "k_norm.weight", shape.HeadDim);
        _o = weights.Matrix(queries, (prefix + "o_proj.weight", shape.Hidden));
    }

    /// <summary>x += O · attention(h)</summary>
    /// <param name="cos">[tokens, rotated / 2]</param>
    /// <param name="h">[tokens, hidden], normed.</param>
    /// <param name="step">Its keys and values are stored first: a token sees itself.</param>
    /// <param name="kv">Of this layer.</param>
    /// <param name="sin">Like <paramref name="cos"/>.</param>
    /// <param name="workspace">Temporaries.</param>
    /// <param name="x">The residual stream.</param>
    public void AddTo(Tensor x, Tensor h, StepInput step, LayerKv kv, Tensor cos, Tensor sin, Workspace workspace)
    {
        using var frame = workspace.Enter();
        var (k, s) = (_kernels, _shape);
        var (queries, keys) = (s.Heads * s.HeadDim, s.KvHeads * s.HeadDim);
        var qkv = k.Linear(h, _qkv, frame);                                  // [tokens, q heads ‖ k heads ‖ v heads]
        var (q, key, value) = (qkv.Slice(0, queries), qkv.Slice(queries, keys), qkv.Slice(queries + keys, keys));
        k.RmsNorm(q, _qNorm, s.NormEpsilon, into: q);                        // per head
        k.RmsNorm(key, _kNorm, s.NormEpsilon, into: key);
        k.Rope(q, s.HeadDim, cos, sin);
        k.Rope(key, s.HeadDim, cos, sin);
        k.StoreKv(key, value, step, kv);
        var attended = k.PagedAttention(q, step, kv, scale: 1 / MathF.Sqrt(s.HeadDim), frame);
        k.LinearAdd(attended, _o, into: x);
    }

    internal readonly record struct Shape(int Hidden, int Heads, int KvHeads, int HeadDim, float NormEpsilon);
}
