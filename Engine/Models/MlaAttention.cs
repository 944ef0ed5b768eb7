using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>
/// Multi-head latent attention in its absorbed form: W_UK moves the queries into the latent space, heads attend to the latents themselves,
/// and W_UV takes what they found out of it again.
/// </summary>
internal sealed class MlaAttention
{
    /// <summary>Of the norms on the latents, whatever <c>rms_norm_eps</c> says.</summary>
    private const float LatentEpsilon = 1e-6f;

    private readonly MlaConfig _config;
    private readonly IKernels _kernels;
    private readonly Matrix _down, _o;
    private readonly Matrix? _up;
    private readonly Matrix[] _keys, _values;
    private readonly Tensor _queryNorm, _latentNorm;
    private readonly MlaIndexer? _indexer;

    /// <param name="config">Shapes.</param>
    /// <param name="kernels">Compute.</param>
    /// <param name="weights">To read from.</param>
    /// <param name="prefix">Of the block, with its dot.</param>
    /// <param name="indexed">Whether the layer has an indexer of its own.</param>
    public unsafe MlaAttention(MlaConfig config, IKernels kernels, WeightReader weights, string prefix, bool indexed)
    {
        (_config, _kernels) = (config, kernels);
        var queries = config.Heads * config.QueryDim;
        MatrixPart latent = (prefix + "kv_a_proj_with_mqa.weight", config.LatentRank + config.RopeDim);
        if (config.QueryRank is { } rank)
        {
            _down = weights.Matrix(config.Hidden, (prefix + "q_a_proj.weight", rank), latent);
            _queryNorm = weights.Vector(prefix + "q_a_layernorm.weight", rank);
            _up = weights.Matrix(rank, (prefix + "q_b_proj.weight", queries));
        }
        else
        {
            _down = weights.Matrix(config.Hidden, (prefix + "q_proj.weight", queries), latent);
        }
        _latentNorm = weights.Vector(prefix + "kv_a_layernorm.weight", config.LatentRank);
        _o = weights.Matrix(config.Heads * config.ValueDim, (prefix + "o_proj.weight", config.Hidden));

        // kv_b holds for every head W_UK [nope, latent], which is used from the other side, and W_UV [value, latent].
        var (name, perHead) = (prefix + "kv_b_proj.weight", config.NopeDim + config.ValueDim);
        Matrix[] keys = [.. Enumerable.Range(0, config.Heads).Select(_ => weights.Empty(config.LatentRank, config.NopeDim, name))];
        Matrix[] values = [.. Enumerable.Range(0, config.Heads).Select(_ => weights.Empty(config.ValueDim, config.LatentRank, name))];
        weights.Rows(name, config.Heads * perHead, config.LatentRank, (row, numbers) =>
        {
            var (head, index) = (row / perHead, row % perHead);
            if (index < config.NopeDim) keys[head].WriteColumn(index, numbers, WeightType.F32);
            else values[head].Write(index - config.NopeDim, 1, numbers, WeightType.F32);
        });
        (_keys, _values) = (keys, values);
        if (indexed) _indexer = new(config, kernels, weights, prefix + "indexer.");
    }

    /// <summary>x += O · attention(h)</summary>
    /// <param name="x">The residual stream.</param>
    /// <param name="h">[tokens, hidden], normed.</param>
    /// <param name="step">Its rows are stored first: a token sees itself.</param>
    /// <param name="latents">Of this layer.</param>
    /// <param name="keys">Of this layer's indexer, where it has one.</param>
    /// <param name="chosen">Written by a layer with an indexer, read by those that share its choice; null while no context is longer than the choice.</param>
    /// <param name="cos">[tokens, rotated / 2]</param>
    /// <param name="sin">Like <paramref name="cos"/>.</param>
    /// <param name="workspace">Temporaries.</param>
    public void AddTo(Tensor x, Tensor h, StepInput step, CachedRows latents, CachedRows keys, Selection? chosen, Tensor cos, Tensor sin, Workspace workspace)
    {
        using var frame = workspace.Enter();
        var (k, c) = (_kernels, _config);
        var down = k.Linear(h, _down, frame);                                // [tokens, query latent (or queries) ‖ latent ‖ rotated key]
        var query = down.Slice(0, down.Columns - latents.Columns);
        var row = down.Slice(query.Columns, latents.Columns);
        k.RmsNorm(row.Slice(0, c.LatentRank), _latentNorm, LatentEpsilon, into: row.Slice(0, c.LatentRank));
        k.Rope(row.Slice(c.LatentRank, c.RopeDim), c.RopeDim, start: 0, c.Pairing, cos, sin);
        k.StoreRows(row, step, latents);

        var q = query;
        if (_up is not null)
        {
            k.RmsNorm(query, _queryNorm, LatentEpsilon, into: query);
            q = k.Linear(query, _up, frame);
        }
        _indexer?.Choose(h, query, step, keys, chosen, cos, sin, workspace);
        k.Rope(q, c.QueryDim, c.NopeDim, c.Pairing, cos, sin);

        var absorbed = frame.Tensor(step.TokenCount, c.Heads * c.LatentRank);
        k.GroupLinear(q, c.QueryDim, _keys, into: absorbed);
        k.LatentAttention(absorbed, q, step, latents, c.Scale, chosen, into: absorbed);
        var attended = frame.Tensor(step.TokenCount, c.Heads * c.ValueDim);
        k.GroupLinear(absorbed, c.LatentRank, _values, into: attended);
        k.LinearAdd(attended, _o, into: x);
    }
}
