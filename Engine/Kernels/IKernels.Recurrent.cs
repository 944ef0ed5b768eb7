using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels;

/// <summary>Gated DeltaNet: a causal convolution and a recurrence, whose pasts are in the sequences' state slots.</summary>
internal partial interface IKernels
{
    /// <summary>
    /// into[t, c] = silu(Σⱼ weight[j, c] · x[t − taps + 1 + j, c]) along each sequence, the inputs before the step from its state, which gets the
    /// last ones of the step.
    /// </summary>
    /// <param name="weight">[taps, channels]</param>
    /// <param name="x">[tokens, channels]</param>
    /// <param name="step">Its sequences' slots.</param>
    /// <param name="state">[taps − 1, channels]</param>
    /// <param name="into">[tokens, channels]; not <paramref name="x"/>.</param>
    void CausalConvolution(Tensor x, Tensor weight, StepInput step, LayerState state, Tensor into);

    /// <summary>x = x · (Σx² + ε)^-½ · scale over each run of <paramref name="width"/> columns, in place.</summary>
    void L2Norm(Tensor x, int width, float epsilon, float scale);

    /// <summary>decay = e^(−e^logRate · softplus(decay + bias)) and rate = σ(rate), in place.</summary>
    /// <param name="logRate">[1, heads]</param>
    /// <param name="bias">[1, heads]</param>
    /// <param name="decay">[tokens, heads]</param>
    /// <param name="rate">[tokens, heads]</param>
    void DeltaGates(Tensor logRate, Tensor bias, Tensor decay, Tensor rate);

    /// <summary>
    /// The gated delta rule, token by token for every value head: S ← α·S; S ← S + β·(v − S·k)·kᵀ; o = S·q. Adjacent value heads share a key head.
    /// </summary>
    /// <param name="k">[tokens, key heads · key dims]</param>
    /// <param name="v">[tokens, value heads · value dims]</param>
    /// <param name="decay">α [tokens, value heads]</param>
    /// <param name="rate">β [tokens, value heads]</param>
    /// <param name="keyDim">Columns of a key head.</param>
    /// <param name="q">Like <paramref name="k"/>.</param>
    /// <param name="step">Its sequences' slots.</param>
    /// <param name="state">S of every head, see <see cref="DeltaShape"/>.</param>
    /// <param name="into">o [tokens, value heads · value dims]</param>
    void GatedDelta(Tensor q, Tensor k, Tensor v, Tensor decay, Tensor rate, int keyDim, StepInput step, LayerState state, Tensor into);
}

/// <summary>The recurrent state of one layer: for each value head panels of 16 value dims, [panel][key dim][16], the last one padded.</summary>
internal static class DeltaShape
{
    public const int Panel = 16;

    public static int Panels(int valueDim) => (valueDim + Panel - 1) / Panel;

    public static StatePlane Plane(int heads, int keyDim, int valueDim) => new("delta", heads * Panels(valueDim) * keyDim, Panel);
}
