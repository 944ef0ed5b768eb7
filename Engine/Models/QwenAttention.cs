using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Grouped-query attention with a norm on every head of q and k before the rotation, and in some families a sigmoid gate on its output.</summary>
internal sealed class QwenAttention
{
    private readonly Shape _shape;
    private readonly IKernels _kernels;
    private readonly Matrix _qkv, _o;
    private readonly Tensor _qNorm, _kNorm;

    public QwenAttention(Shape shape, IKernels kernels, WeightReader weights, string prefix)
    {
        (_shape, _kernels) = (shape, kernels);
        var (queries, keys, dim) = (shape.Heads * shape.HeadDim, shape.KvHeads * shape.HeadDim, shape.HeadDim);
        // Stored [q ‖ gate] head by head; here all of q, then all gates.
        var q = shape.Gated
            ? new MatrixPart(prefix + "q_proj.weight", 2 * queries, row => row / (2 * dim) * dim + row % dim + (row / dim % 2) * queries)
            : new MatrixPart(prefix + "q_proj.weight", queries);
        _qkv = weights.Matrix(shape.Hidden, q, (prefix + "k_proj.weight", keys), (prefix + "v_proj.weight", keys));
        _qNorm = weights.Vector(prefix + "q_norm.weight", shape.HeadDim, shape.NormOffset);
        _kNorm = weights.Vector(prefix + "k_norm.weight", shape.HeadDim, shape.NormOffset);
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
        var qkv = k.Linear(h, _qkv, frame);                                  // [tokens, q heads (‖ gates) ‖ k heads ‖ v heads]
        var first = s.Gated ? 2 * queries : queries;
        var (q, key, value) = (qkv.Slice(0, queries), qkv.Slice(first, keys), qkv.Slice(first + keys, keys));
        k.RmsNorm(q, _qNorm, s.NormEpsilon, into: q);                        // per head
        k.RmsNorm(key, _kNorm, s.NormEpsilon, into: key);
        k.Rope(q, s.HeadDim, cos, sin);
        k.Rope(key, s.HeadDim, cos, sin);
        k.StoreKv(key, value, step, kv);
        var attended = k.PagedAttention(q, step, kv, scale: 1 / MathF.Sqrt(s.HeadDim), frame);
        if (s.Gated) k.SigmoidScale(qkv.Slice(queries, queries), attended);
        k.LinearAdd(attended, _o, into: x);
    }

    /// <param name="Hidden">Columns of the stream.</param>
    /// <param name="Heads">Of queries.</param>
    /// <param name="KvHeads">Of keys and values.</param>
    /// <param name="HeadDim">Columns of a head.</param>
    /// <param name="NormEpsilon">ε</param>
    /// <param name="NormOffset">Added to the stored weights of the norms.</param>
    /// <param name="Gated">q_proj also gives a gate for every output.</param>
    internal readonly record struct Shape(int Hidden, int Heads, int KvHeads, int HeadDim, float NormEpsilon, float NormOffset = 0, bool Gated = false);
}
