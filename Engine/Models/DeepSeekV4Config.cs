using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>DeepSeek-V4, by the field names of config.json.</summary>
internal sealed record DeepSeekV4Config : IModelConfig
{
    /// <summary>The ratio whose entries overlap and are chosen by an indexer; larger ones are attended to in full.</summary>
    public const int SparseRatio = 4;
    private const int MaxStreams = 64, MaxIterations = 1000;

    public required int VocabSize { get; init; }
    public required int MaxPositions { get; init; }
    public required int HiddenSize { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }
    /// <summary>Of queries and of the one row that is key and value for all of them.</summary>
    public required int HeadDim { get; init; }
    /// <summary>Rotated columns at the end of a head, and of an index key.</summary>
    public required int RopeDim { get; init; }
    public required int QueryRank { get; init; }
    public required int OutputGroups { get; init; }
    /// <summary>Of one group.</summary>
    public required int OutputRank { get; init; }
    public required int Window { get; init; }
    /// <summary>Tokens an entry, layer by layer; 0: the layer has its window only.</summary>
    public required Schedule Ratios { get; init; }
    public required int IndexHeads { get; init; }
    public required int IndexDim { get; init; }
    public required int IndexTopK { get; init; }
    public required float NormEpsilon { get; init; }
    public required RopeConfig Rope { get; init; }
    /// <summary>Of the layers with entries: queries, window and entries alike.</summary>
    public required RopeConfig CompressedRope { get; init; }
    public required int Streams { get; init; }
    public required int SinkhornIterations { get; init; }
    public required float HyperEpsilon { get; init; }
    /// <summary>Of the layers that choose by score.</summary>
    public required MixtureConfig Experts { get; init; }
    /// <summary>Leading layers whose experts follow from the token id.</summary>
    public required int HashLayers { get; init; }
    /// <summary>Layers apart from the others that only draft tokens.</summary>
    public required int DraftLayers { get; init; }
    /// <summary>As <see cref="Ratios"/>, of the first draft layer.</summary>
    public required int DraftRatio { get; init; }

    public static DeepSeekV4Config Read(ConfigSection config)
    {
        var maxPositions = config.PositiveInt("max_position_embeddings");
        var layers = config.PositiveInt("num_hidden_layers", ConfigLimits.Layers);
        var rope = RopeConfig.Read(config, maxPositions);
        var ratios = ReadRatios(config, layers);
        var read = new DeepSeekV4Config
        {
            VocabSize = config.PositiveInt("vocab_size"),
            MaxPositions = maxPositions,
            HiddenSize = config.PositiveInt("hidden_size", ConfigLimits.Columns),
            Layers = layers,
            Heads = config.PositiveInt("num_attention_heads", ConfigLimits.Heads),
            HeadDim = config.PositiveInt("head_dim", ConfigLimits.HeadDim),
            RopeDim = config.PositiveInt("qk_rope_head_dim", ConfigLimits.HeadDim),
            QueryRank = config.PositiveInt("q_lora_rank", ConfigLimits.Columns),
            OutputGroups = config.PositiveInt("o_groups", ConfigLimits.Heads),
            OutputRank = config.PositiveInt("o_lora_rank", ConfigLimits.HeadDim),
            Window = config.PositiveInt("sliding_window"),
            Ratios = new([.. ratios.Take(layers)]),
            IndexHeads = config.PositiveInt("index_n_heads", ConfigLimits.Heads),
            IndexDim = config.PositiveInt("index_head_dim", ConfigLimits.HeadDim),
            IndexTopK = config.PositiveInt("index_topk", ConfigLimits.Chosen),
            NormEpsilon = (float)config.PositiveNumber("rms_norm_eps", max: 1, 1e-6),
            Rope = new(rope.Theta, null),
            // YaRN without its factor on cos and sin: scores of compressed layers are not scaled up.
            CompressedRope = new(RopeConfig.CheckTheta(config, "compress_rope_theta", config.PositiveNumber("compress_rope_theta")), rope.Scaling is { } scaling ? scaling with { AttentionFactor = 1 } : null),
            Streams = config.PositiveInt("hc_mult", MaxStreams),
            SinkhornIterations = config.PositiveInt("hc_sinkhorn_iters", MaxIterations),
            HyperEpsilon = (float)config.PositiveNumber("hc_eps", max: 1, 1e-6),
            Experts = ReadExperts(config),
            HashLayers = config.Count("num_hash_layers", ConfigLimits.Layers, otherwise: 3),
            DraftLayers = config.Count("num_nextn_predict_layers", ConfigLimits.Layers, otherwise: 0),
            DraftRatio = ratios.Count > layers ? ratios[layers] : 0,
        };
        read.Check(config);
        return read;
    }

    public CacheGeometry Cache(int blockSize, WeightType type) =>
        new(blockSize, [.. Enumerable.Range(0, Layers).SelectMany(layer => Planes(Ratios[layer], blockSize, type))]);

    /// <summary>One layer more, of the first draft layer; others are left alone.</summary>
    public CacheGeometry? DraftCache(int blockSize, WeightType type) => DraftLayers == 0 ? null : new(blockSize, [.. Planes(DraftRatio, blockSize, type)]);

    /// <exception cref="ModelLoadException">The draft layer has entries: those of a context that begins late would be other ones.</exception>
    public IModel Build(WeightReader weights, IKernels kernels, bool drafts) => drafts && DraftRatio != 0
        ? throw new ModelLoadException($"config.json: compress_ratios has {DraftRatio} for the layer that drafts: only 0 is supported there")
        : new DeepSeekV4(this, weights, kernels, drafts);

    public bool MayIgnore(string tensor) => Ignorable.Drafting(tensor);

    public bool IsSparse(int layer) => Ratios[layer] == SparseRatio;

    /// <summary>
    /// Window rows of every position, though a layer looks at the last <see cref="Window"/> only: a block that keeps its own can be shared, sent
    /// and resumed at. Then entries and, for the tokens of entries still open, inputs; the same again for an indexer.
    /// </summary>
    private IEnumerable<CachePlane> Planes(int ratio, int blockSize, WeightType type)
    {
        yield return CachedRows.Plane("window", HeadDim - RopeDim, RopeDim, blockSize, type);
        if (ratio == 0) yield break;
        var (entries, series) = (EntryCache.RowsPerBlock(blockSize, ratio), ratio == SparseRatio ? 2 : 1);
        var inputs = InputRing.RowsPerBlock(blockSize, series * ratio);
        yield return CachedRows.Plane("entries", HeadDim - RopeDim, RopeDim, entries, type);
        yield return new RowPlane("inputs", 2 * series * HeadDim, inputs, WeightType.F32);
        if (ratio != SparseRatio) yield break;
        yield return CachedRows.Plane("index keys", IndexDim - RopeDim, RopeDim, entries, type);
        yield return new RowPlane("index inputs", 2 * series * IndexDim, inputs, WeightType.F32);
    }

    /// <summary>Planes of the layers before <paramref name="layer"/>.</summary>
    public int FirstPlane(int layer) => Enumerable.Range(0, layer).Sum(l => Ratios[l] == 0 ? 1 : IsSparse(l) ? 5 : 3);

    /// <summary>The mixture of a layer: the first ones look their experts up by token id.</summary>
    public MixtureConfig ExpertsOf(int layer) => layer < HashLayers ? Experts with { Bias = null, Table = "gate.tid2eid" } : Experts;

    private static MixtureConfig ReadExperts(ConfigSection config)
    {
        var size = config.PositiveInt("moe_intermediate_size", ConfigLimits.Columns);
        return new MixtureConfig
        {
            Router = new()
            {
                Score = RouterScore.SqrtSoftplus,
                Experts = MixtureConfig.ReadCount(config, "n_routed_experts", "num_local_experts"),
                TopK = config.PositiveInt("num_experts_per_tok"),
                Normalise = config.Flag("norm_topk_prob", otherwise: true),
                Scale = (float)config.PositiveNumber("routed_scaling_factor", ConfigLimits.Factor, 1.5),
            },
            ExpertSize = size,
            SharedSize = size * config.Count("n_shared_experts", ConfigLimits.SharedExperts, otherwise: 1),
            Limit = (float)config.PositiveNumber("swiglu_limit", otherwise: 10),
            Experts = new("w1.weight", "w3.weight", "w2.weight"),
            Bias = "gate.bias",
        }.Check(config, "n_routed_experts", "num_experts_per_tok");
    }

    private static IReadOnlyList<int> ReadRatios(ConfigSection config, int layers)
    {
        var ratios = config.Counts("compress_ratios", ConfigLimits.Entries);
        return ratios.Count >= layers ? ratios : throw config.Bad("compress_ratios", $"has {ratios.Count} entries for {layers} layers");
    }

    private void Check(ConfigSection config)
    {
        if (HeadDim < RopeDim || RopeDim % 2 != 0) throw config.Bad("qk_rope_head_dim", $"({RopeDim}) must be even and at most head_dim ({HeadDim})");
        if (IndexDim < RopeDim) throw config.Bad("index_head_dim", $"({IndexDim}) is smaller than qk_rope_head_dim ({RopeDim})");
        if (Heads % OutputGroups != 0) throw config.Bad("num_attention_heads", $"({Heads}) is not a multiple of o_groups ({OutputGroups})");
        if (config.OptionalPositiveInt("num_key_value_heads") is { } keys && keys != 1) throw config.Bad("num_key_value_heads", $"({keys}) is not supported (1 is)");
        if (config.OptionalText("hidden_act") is { } activation && activation != "silu") throw config.Bad("hidden_act", $"'{activation}' is not supported (silu is)");
        if (config.OptionalText("scoring_func") is { } scoring && scoring != "sqrtsoftplus") throw config.Bad("scoring_func", $"'{scoring}' is not supported (sqrtsoftplus is)");
        if (config.OptionalText("topk_method") is { } method && method != "noaux_tc") throw config.Bad("topk_method", $"'{method}' is not supported (noaux_tc is)");
        if (config.Flag("attention_bias", otherwise: false)) throw config.Bad("attention_bias", "true is not supported");
        if (config.Flag("tie_word_embeddings", otherwise: false)) throw config.Bad("tie_word_embeddings", "true is not supported");
        foreach (var newer in (string[])["layer_types", "mlp_layer_types", "compress_rates", "compress_rate_csa", "compress_rate_hca", "partial_rotary_factor"])
            if (config.Has(newer)) throw config.Bad(newer, "is not supported (compress_ratios, num_hash_layers and qk_rope_head_dim are)");
        if (config.OptionalSection("rope_scaling")?.Has("attention_factor") == true) throw config.Bad("rope_scaling", "has attention_factor, which implementations of this architecture treat differently");
        if (config.Has("rope_parameters")) throw config.Bad("rope_parameters", "is not supported (rope_theta, compress_rope_theta and rope_scaling are)");
    }
}

/// <summary>Numbers by layer, equal when they are the same.</summary>
internal sealed class Schedule(IReadOnlyList<int> values) : IEquatable<Schedule>
{
    public int this[int layer] => values[layer];

    public bool Equals(Schedule? other) => other is not null && values.SequenceEqual(other.ToArray());

    public override bool Equals(object? obj) => Equals(obj as Schedule);

    public override int GetHashCode() => values.Aggregate(values.Count, HashCode.Combine);

    /// <summary>For the layout digest.</summary>
    public override string ToString() => string.Join(' ', values);

    private int[] ToArray() => [.. values];
}
