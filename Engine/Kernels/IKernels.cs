using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels;

/// <summary>
/// The operations models are written in. Every result row is a function of its own input row alone: the number of rows in the call,
/// the number of threads, the chunking of a prompt and the placement of its blocks change no bit of it (docs/numerics.md).
/// </summary>
internal partial interface IKernels : IDisposable
{
    /// <summary>A matrix of any type but E4M3. One of E2M1 has an even number of columns, every 32 of a row sharing a power of two.</summary>
    Matrix CreateMatrix(int rows, int columns, WeightType type);

    /// <summary>A matrix of E4M3 numbers, <paramref name="blockColumns"/> of a row sharing a factor.</summary>
    Matrix CreateScaledMatrix(int rows, int columns, int blockColumns);

    /// <summary>into[t] = table[token t]</summary>
    void Embed(StepInput step, Matrix table, Tensor into);

    /// <summary>into[t] = the row that an image brings for token t; rows of other tokens stay.</summary>
    void PlaceImages(StepInput step, Tensor into);

    /// <summary>into[t] += the row of deepstack layer <paramref name="layer"/> that an image brings for token t.</summary>
    void AddDeepstack(StepInput step, int layer, Tensor into);

    /// <summary>y = x · (mean(x²) + ε)^-½ · weight over each run of <c>weight.Columns</c> columns: the whole row, or every head of it. <paramref name="into"/> may be <paramref name="x"/>.</summary>
    void RmsNorm(Tensor x, Tensor weight, float epsilon, Tensor into);

    /// <summary>into = x · Wᵀ</summary>
    void Linear(Tensor x, Matrix w, Tensor into);

    /// <summary>into += x · Wᵀ</summary>
    void LinearAdd(Tensor x, Matrix w, Tensor into);

    /// <summary>into = gate · σ(gate) ⊙ up, after gate ≤ <paramref name="limit"/> and |up| ≤ <paramref name="limit"/>.</summary>
    void SiluMul(Tensor gate, Tensor up, Tensor into, float limit = float.PositiveInfinity);

    /// <summary>cos and sin [tokens, frequencies] of every token's position, or of its positions by axes where the frequencies have axes.</summary>
    void RopeAngles(StepInput step, RopeFrequencies frequencies, Tensor cos, Tensor sin);

    /// <summary>
    /// Rotates <c>2 · cos.Columns</c> columns of every head of <paramref name="x"/> in place, from column <paramref name="start"/> of the head on; the
    /// others pass. A negated <paramref name="sin"/> rotates back.
    /// </summary>
    void Rope(Tensor x, int headDim, int start, RopePairing pairing, Tensor cos, Tensor sin);

    /// <summary>Writes the step's keys and values to their slots; later operations of the step read them.</summary>
    void StoreKv(Tensor key, Tensor value, StepInput step, LayerKv kv);

    /// <summary>Causal softmax(q·Kᵀ·scale)·V of each query over its sequence's blocks; grouped query heads share a KV head.</summary>
    void PagedAttention(Tensor q, StepInput step, LayerKv kv, float scale, Tensor into);

    /// <summary>into[r] = x[row of the r-th sequence that asked for logits]</summary>
    void GatherLogitsRows(Tensor x, StepInput step, Tensor into);
}

/// <summary>The same operations into fresh temporaries, so that a layer reads like its formula.</summary>
internal static partial class KernelExtensions
{
    /// <summary>Rotates the first <c>2 · cos.Columns</c> columns of every head, in halves.</summary>
    public static void Rope(this IKernels k, Tensor x, int headDim, Tensor cos, Tensor sin) => k.Rope(x, headDim, start: 0, RopePairing.Halves, cos, sin);

    public static Tensor RmsNorm(this IKernels k, Tensor x, Tensor weight, float epsilon, Workspace.Frame frame)
    {
        var into = frame.Tensor(x.Rows, x.Columns);
        k.RmsNorm(x, weight, epsilon, into);
        return into;
    }

    public static Tensor Linear(this IKernels k, Tensor x, Matrix w, Workspace.Frame frame)
    {
        var into = frame.Tensor(x.Rows, w.Rows);
        k.Linear(x, w, into);
        return into;
    }

    public static Tensor SiluMul(this IKernels k, Tensor gate, Tensor up, Workspace.Frame frame, float limit = float.PositiveInfinity)
    {
        var into = frame.Tensor(gate.Rows, gate.Columns);
        k.SiluMul(gate, up, into, limit);
        return into;
    }

    public static Tensor PagedAttention(this IKernels k, Tensor q, StepInput step, LayerKv kv, float scale, Workspace.Frame frame)
    {
        var into = frame.Tensor(q.Rows, q.Columns);
        k.PagedAttention(q, step, kv, scale, into);
        return into;
    }
}
