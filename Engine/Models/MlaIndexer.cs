using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>
/// The lightning indexer: few, narrow heads score all positions cheaply, and attention reads only the best. The positive factors that the
/// published models put on scores and weights are left out, and so is their Hadamard rotation of queries and keys: neither changes an order.
/// </summary>
internal sealed class MlaIndexer
{
    private const float NormEpsilon = 1e-6f;

    private readonly IndexerConfig _config;
    private readonly IKernels _kernels;
    private readonly Matrix _query, _key, _weights;
    private readonly Tensor _normWeight, _normBias;

    public MlaIndexer(MlaConfig attention, IKernels kernels, WeightReader weights, string prefix)
    {
        (_config, _kernels) = (attention.Indexer!, kernels);
        _query = weights.Matrix(attention.QueryRank!.Value, (prefix + "wq_b.weight", _config.Heads * _config.HeadDim));
        _key = weights.Matrix(attention.Hidden, (prefix + "wk.weight", _config.HeadDim));
        _normWeight = weights.Vector(prefix + "k_norm.weight", _config.HeadDim);
        _normBias = weights.Vector(prefix + "k_norm.bias", _config.HeadDim);
        _weights = weights.Matrix(attention.Hidden, (prefix + "weights_proj.weight", _config.Heads));
    }

    /// <summary>Stores the step's keys and, where there is a choice to make, makes it.</summary>
    /// <param name="h">[tokens, hidden], normed.</param>
    /// <param name="query">[tokens, query latent], normed.</param>
    /// <param name="step">The step.</param>
    /// <param name="keys">Of this layer.</param>
    /// <param name="chosen">Into; null where every token attends to all it sees.</param>
    /// <param name="cos">[tokens, rotated / 2]</param>
    /// <param name="sin">Like <paramref name="cos"/>.</param>
    /// <param name="workspace">Temporaries.</param>
    public void Choose(Tensor h, Tensor query, StepInput step, CachedRows keys, Selection? chosen, Tensor cos, Tensor sin, Workspace workspace)
    {
        using var frame = workspace.Enter();
        var k = _kernels;
        var key = k.Linear(h, _key, frame);
        k.LayerNorm(key, _normWeight, _normBias, NormEpsilon, into: key);
        k.Rope(key, _config.HeadDim, start: 0, _config.Pairing, cos, sin);
        k.StoreRows(key, step, keys);
        if (chosen is not { } choice) return;

        var q = k.Linear(query, _query, frame);                              // [tokens, heads · head_dim]
        k.Rope(q, _config.HeadDim, start: 0, _config.Pairing, cos, sin);
        k.ChoosePositions(q, k.Linear(h, _weights, frame), step, new EntryCache(keys, BlockSize: keys.Rows.Plane.Rows, Ratio: 1), choice);
    }
}
