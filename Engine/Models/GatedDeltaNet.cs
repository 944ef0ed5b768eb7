using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Linear attention with a gated delta rule: a short convolution over q, k and v, a recurrence a value head, a gated norm.</summary>
internal sealed class GatedDeltaNet
{
    private const float L2Epsilon = 1e-6f;

    private readonly DeltaNetConfig _c;
    private readonly IKernels _kernels;
    private readonly float _epsilon;
    private readonly Matrix _in, _rates, _out;
    private readonly Tensor _conv, _logRate, _bias, _norm;

    public GatedDeltaNet(DeltaNetConfig config, int hidden, float epsilon, IKernels kernels, WeightReader weights, string prefix)
    {
        (_c, _kernels, _epsilon) = (config, kernels, epsilon);
        var (keys, values, heads) = (config.KeyColumns, config.ValueColumns, config.ValueHeads);
        // Rows q ‖ k ‖ v ‖ z and b ‖ a, whatever the checkpoint calls them. Apart: quantised checkpoints leave b and a as they are.
        _in = config.Fused
            ? weights.Matrix(hidden, new MatrixPart(prefix + "in_proj_qkvz.weight", 2 * keys + 2 * values, config.PlaceOfQkvz))
            : weights.Matrix(hidden, (prefix + "in_proj_qkv.weight", 2 * keys + values), (prefix + "in_proj_z.weight", values));
        _rates = config.Fused
            ? weights.Matrix(hidden, new MatrixPart(prefix + "in_proj_ba.weight", 2 * heads, config.PlaceOfBa))
            : weights.Matrix(hidden, (prefix + "in_proj_b.weight", heads), (prefix + "in_proj_a.weight", heads));
        _conv = weights.Transposed(prefix + "conv1d.weight", config.Channels, 1, config.Taps);
        _logRate = weights.Vector(prefix + "A_log", heads);
        _bias = weights.Vector(prefix + "dt_bias", heads);
        _norm = weights.Vector(prefix + "norm.weight", config.ValueDim);
        _out = weights.Matrix(values, (prefix + "out_proj.weight", hidden));
    }

    /// <summary>x += Out · (norm(o) ⊙ silu(z)), o of the recurrence</summary>
    /// <param name="h">[tokens, hidden], normed.</param>
    /// <param name="step">Its sequences' slots.</param>
    /// <param name="convolution">Of this layer.</param>
    /// <param name="recurrent">Of this layer.</param>
    /// <param name="workspace">Temporaries.</param>
    /// <param name="x">The residual stream.</param>
    public void AddTo(Tensor x, Tensor h, StepInput step, LayerState convolution, LayerState recurrent, Workspace workspace)
    {
        using var frame = workspace.Enter();
        var (k, keys, values, heads) = (_kernels, _c.KeyColumns, _c.ValueColumns, _c.ValueHeads);
        var projected = k.Linear(h, _in, frame);
        var z = projected.Slice(_c.Channels, values);
        var rates = k.Linear(h, _rates, frame);
        var (rate, decay) = (rates.Slice(0, heads), rates.Slice(heads, heads));
        var qkv = frame.Tensor(h.Rows, _c.Channels);
        k.CausalConvolution(projected.Slice(0, _c.Channels), _conv, step, convolution, into: qkv);
        var (q, key, value) = (qkv.Slice(0, keys), qkv.Slice(keys, keys), qkv.Slice(2 * keys, values));
        k.L2Norm(q, _c.KeyDim, L2Epsilon, scale: 1 / MathF.Sqrt(_c.KeyDim));
        k.L2Norm(key, _c.KeyDim, L2Epsilon, scale: 1);
        k.DeltaGates(_logRate, _bias, decay, rate);
        var o = frame.Tensor(h.Rows, values);
        k.GatedDelta(q, key, value, decay, rate, _c.KeyDim, step, recurrent, into: o);
        k.RmsNorm(o, _norm, _epsilon, into: o);                              // per head
        k.SiluMul(z, o, into: o);
        k.LinearAdd(o, _out, into: x);
    }
}
