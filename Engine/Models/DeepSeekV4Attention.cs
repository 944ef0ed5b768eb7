using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>
/// Attention of one layer: the last tokens one by one, those before them as entries of several tokens each. A row is key and value, so the
/// output carries the rotations of the values; the inverse rotation at the query's position leaves relative ones.
/// </summary>
internal sealed class DeepSeekV4Attention
{
    private readonly DeepSeekV4Config _config;
    private readonly int _firstPlane;
    private readonly Matrix _down, _queryUp, _outputUp;
    private readonly Matrix[] _outputDown;
    private readonly Tensor _queryNorm, _rowNorm, _sinks;
    private readonly Compressing? _entries, _index;
    private readonly Matrix? _indexQuery, _indexWeights;

    /// <param name="c">Shapes.</param>
    /// <param name="weights">To read from.</param>
    /// <param name="prefix">Of its tensors, with its dot.</param>
    /// <param name="ratio">Tokens an entry; 0: the window only.</param>
    /// <param name="firstPlane">Where the layer's planes begin.</param>
    /// <param name="rope">Of the entries.</param>
    public DeepSeekV4Attention(DeepSeekV4Config c, WeightReader weights, string prefix, int ratio, int firstPlane, RopeFrequencies rope)
    {
        (_config, _firstPlane) = (c, firstPlane);
        var grouped = c.Heads / c.OutputGroups * c.HeadDim;
        _down = weights.Matrix(c.HiddenSize, (prefix + "wq_a.weight", c.QueryRank), (prefix + "wkv.weight", c.HeadDim));
        _queryNorm = weights.Vector(prefix + "q_norm.weight", c.QueryRank);
        _queryUp = weights.Matrix(c.QueryRank, (prefix + "wq_b.weight", c.Heads * c.HeadDim));
        _rowNorm = weights.Vector(prefix + "kv_norm.weight", c.HeadDim);
        _sinks = weights.Vector(prefix + "attn_sink", c.Heads);
        _outputDown = weights.Divided(prefix + "wo_a.weight", c.OutputGroups, c.OutputRank, grouped);
        _outputUp = weights.Matrix(c.OutputGroups * c.OutputRank, (prefix + "wo_b.weight", c.HiddenSize));
        if (ratio == 0) return;
        var sparse = ratio == DeepSeekV4Config.SparseRatio;
        _entries = new(c, weights, prefix + "compressor.", ratio, c.HeadDim, sparse, rope);
        if (!sparse) return;
        _index = new(c, weights, prefix + "indexer.compressor.", ratio, c.IndexDim, overlap: true, rope);
        _indexQuery = weights.Matrix(c.QueryRank, (prefix + "indexer.wq_b.weight", c.IndexHeads * c.IndexDim));
        _indexWeights = weights.Matrix(c.HiddenSize, (prefix + "indexer.weights_proj.weight", c.IndexHeads));
    }

    /// <summary>[tokens, hidden] from <paramref name="h"/> [tokens, hidden], normed.</summary>
    public Tensor Forward(IKernels k, Tensor h, StepInput step, KvArena kv, (Tensor Cos, Tensor Sin, Tensor Back) rope, Workspace.Frame frame)
    {
        var c = _config;
        var down = k.Linear(h, _down, frame);
        var (latent, row) = (down.Slice(0, c.QueryRank), down.Slice(c.QueryRank, c.HeadDim));
        k.RmsNorm(latent, _queryNorm, c.NormEpsilon, into: latent);
        var q = k.Linear(latent, _queryUp, frame);                           // [tokens, heads × head_dim]
        k.RmsNormUnweighted(q, c.HeadDim, c.NormEpsilon, into: q);
        k.RopeTail(q, c.HeadDim, rope);

        k.RmsNorm(row, _rowNorm, c.NormEpsilon, into: row);
        k.RopeTail(row, c.HeadDim, rope);
        var window = new CachedRows(kv.Rows(_firstPlane), c.HeadDim - c.RopeDim, c.RopeDim);
        k.StoreRows(row, step, window);                                      // before attending: a token sees itself, and an entry the moment it is complete
        EntryCache? entries = _entries?.Extend(k, h, step, kv, _firstPlane + 1, frame);
        Selection? chosen = _index is null ? null : Choose(k, h, latent, step, _index.Extend(k, h, step, kv, _firstPlane + 3, frame), rope, frame);

        var attended = frame.Tensor(q.Rows, q.Columns);
        k.WindowAttention(q, step, window, c.Window, entries, chosen, _sinks, scale: 1 / MathF.Sqrt(c.HeadDim), attended, frame);
        k.RopeTail(attended, c.HeadDim, rope with { Sin = rope.Back });

        var low = frame.Tensor(q.Rows, c.OutputGroups * c.OutputRank);
        var width = attended.Columns / c.OutputGroups;
        k.GroupLinear(attended, width, _outputDown, low);
        return k.Linear(low, _outputUp, frame);
    }

    private Selection Choose(IKernels k, Tensor h, Tensor latent, StepInput step, EntryCache keys, (Tensor Cos, Tensor Sin, Tensor Back) rope, Workspace.Frame frame)
    {
        var c = _config;
        var q = k.Linear(latent, _indexQuery!, frame);
        k.RopeTail(q, c.IndexDim, rope);
        var weights = k.Linear(h, _indexWeights!, frame);
        var chosen = frame.Selection(step.TokenCount, c.IndexTopK);
        k.ChoosePositions(q, weights, step, keys, chosen);
        return chosen;
    }

    /// <summary>A compressor with its projection.</summary>
    private sealed class Compressing(DeepSeekV4Config c, WeightReader weights, string prefix, int ratio, int columns, bool overlap, RopeFrequencies rope)
    {
        private readonly Matrix _projection = weights.Matrix(c.HiddenSize,
            (prefix + "wkv.weight", overlap ? 2 * columns : columns), (prefix + "wgate.weight", overlap ? 2 * columns : columns));
        private readonly Compressor _compressor = new(ratio, columns, overlap,
            PositionBias(weights, prefix + "ape", ratio, overlap ? 2 * columns : columns), weights.Vector(prefix + "norm.weight", columns), c.NormEpsilon, rope);

        private static unsafe Tensor PositionBias(WeightReader weights, string name, int rows, int columns) => new(weights.Vector(name, [rows, columns]).Data, rows, columns);

        /// <summary>Makes the entries that the step completes; <paramref name="plane"/> is theirs, that of the inputs follows it.</summary>
        public EntryCache Extend(IKernels k, Tensor h, StepInput step, KvArena kv, int plane, Workspace.Frame frame)
        {
            var entries = new EntryCache(new(kv.Rows(plane), columns - c.RopeDim, c.RopeDim), kv.Layout.BlockSize, ratio);
            k.Compress(k.Linear(h, _projection, frame), _compressor, step, new(kv.Rows(plane + 1), kv.Layout.BlockSize), entries, frame);
            return entries;
        }
    }
}

file static class LastColumns
{
    /// <summary>Rotates the last columns of every head, neighbour with neighbour.</summary>
    public static void RopeTail(this IKernels k, Tensor x, int headDim, (Tensor Cos, Tensor Sin, Tensor Back) rope) =>
        k.Rope(x, headDim, headDim - 2 * rope.Cos.Columns, RopePairing.Neighbours, rope.Cos, rope.Sin);
}
