using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>DeepSeek-V3 and what shares its layers (Kimi-K2, and with an indexer DeepSeek-V3.2 and GLM-5), by the field names of config.json.</summary>
internal sealed record DeepSeekV3Config : IModelConfig
{
    public required int VocabSize { get; init; }
    public required int MaxPositions { get; init; }
    public required int HiddenSize { get; init; }
    public required int IntermediateSize { get; init; }
    public required int Layers { get; init; }
    public required float NormEpsilon { get; init; }
    public required bool TiedEmbeddings { get; init; }
    public required MlaConfig Attention { get; init; }
    /// <summary>Of the <see cref="SparseLayers"/>.</summary>
    public required MixtureConfig Experts { get; init; }
    public required LayerSet SparseLayers { get; init; }
    /// <summary>Layers after the last that only draft tokens.</summary>
    public required int DraftLayers { get; init; }

    public static IModelConfig Read(ConfigSection config) => ReadDense(config, LatentDefaults.DeepSeekV3);

    /// <summary>Kimi-K2, under either name of its architecture.</summary>
    public static IModelConfig ReadKimi(ConfigSection config) => ReadDense(config, LatentDefaults.KimiK2);

    /// <summary>Without an indexer.</summary>
    public static DeepSeekV3Config ReadDense(ConfigSection config, LatentDefaults defaults)
    {
        var layers = config.PositiveInt("num_hidden_layers", ConfigLimits.Layers);
        if (config.OptionalText("hidden_act") is { } activation && activation != "silu") throw config.Bad("hidden_act", $"'{activation}' is not supported (silu is)");
        return new()
        {
            VocabSize = config.PositiveInt("vocab_size"),
            MaxPositions = config.PositiveInt("max_position_embeddings"),
            HiddenSize = config.PositiveInt("hidden_size", ConfigLimits.Columns),
            IntermediateSize = config.PositiveInt("intermediate_size", ConfigLimits.Columns),
            Layers = layers,
            NormEpsilon = (float)config.PositiveNumber("rms_norm_eps", max: 1, defaults.Epsilon),
            TiedEmbeddings = config.Flag("tie_word_embeddings", otherwise: false),
            Attention = MlaConfig.Read(config, defaults),
            Experts = ReadExperts(config, defaults),
            SparseLayers = ReadSparseLayers(config, layers, defaults),
            DraftLayers = config.Count("num_nextn_predict_layers", ConfigLimits.Layers, otherwise: 0),
        };
    }

    /// <summary>For every layer its latents, then the indexer's keys where it has an indexer of its own.</summary>
    public CacheGeometry Cache(int blockSize, WeightType type) =>
        new(blockSize, [.. Enumerable.Range(0, Layers).SelectMany(layer => LayerPlanes(layer, blockSize, type))]);

    private IEnumerable<CachePlane> LayerPlanes(int layer, int blockSize, WeightType type)
    {
        yield return CachedRows.Plane("latent", Attention.LatentRank, Attention.RopeDim, blockSize, type) with { OneRowAToken = true };
        if (HasIndexer(layer)) yield return CachedRows.Plane("index key", Attention.Indexer!.HeadDim, 0, blockSize, type) with { OneRowAToken = true };
    }

    public bool HasIndexer(int layer) => Attention.Indexer is { } indexer && !indexer.Shared.Contains(layer);

    /// <summary>One layer more, of the first draft layer; others are left alone.</summary>
    public CacheGeometry? DraftCache(int blockSize, WeightType type) => DraftLayers == 0 ? null : new(blockSize, [.. LayerPlanes(Layers, blockSize, type)]);

    public IModel Build(WeightReader weights, IKernels kernels, bool drafts) => new DeepSeekV3(this, weights, kernels, drafts);

    /// <summary>Frequency tables that old exporters wrote, and the layers that draft.</summary>
    public bool MayIgnore(string tensor) =>
        Ignorable.RotaryTable(tensor) || (Ignorable.LayerOf(tensor) is { } layer && layer >= Layers && layer < Layers + DraftLayers);

    private static MixtureConfig ReadExperts(ConfigSection config, LatentDefaults defaults)
    {
        var score = config.OptionalText("scoring_func") switch
        {
            null or "sigmoid" => RouterScore.Sigmoid,
            "softmax" => RouterScore.Softmax,
            var other => throw config.Bad("scoring_func", $"'{other}' is not supported (sigmoid and softmax are)"),
        };
        if (config.OptionalText("topk_method") is { } method && method != "noaux_tc") throw config.Bad("topk_method", $"'{method}' is not supported (noaux_tc is)");
        var size = config.PositiveInt("moe_intermediate_size", ConfigLimits.Columns);
        var shared = config.IsNull("n_shared_experts") ? 0 : config.Count("n_shared_experts", ConfigLimits.SharedExperts, defaults.SharedExperts);
        return new MixtureConfig
        {
            ExpertSize = size,
            SharedSize = size * shared,
            Bias = "gate.e_score_correction_bias",
            Router = new()
            {
                Score = score,
                Experts = MixtureConfig.ReadCount(config, "n_routed_experts", "num_local_experts"),
                TopK = config.PositiveInt("num_experts_per_tok"),
                Groups = config.PositiveInt("n_group", otherwise: defaults.Groups),
                TopGroups = config.PositiveInt("topk_group", otherwise: defaults.TopGroups),
                Normalise = config.Flag("norm_topk_prob", otherwise: true),
                Scale = (float)config.PositiveNumber("routed_scaling_factor", ConfigLimits.Factor, defaults.Scale),
            },
        }.Check(config, "n_routed_experts", "num_experts_per_tok");
    }

    /// <summary><c>mlp_layer_types</c> where it is given, else all from <c>first_k_dense_replace</c> on that <c>moe_layer_freq</c> divides.</summary>
    private static LayerSet ReadSparseLayers(ConfigSection config, int layers, LatentDefaults defaults)
    {
        var types = config.Texts("mlp_layer_types");
        if (types.Count > 0)
        {
            if (types.Count < layers) throw config.Bad("mlp_layer_types", $"names {types.Count} of {layers} layers");
            if (types.FirstOrDefault(type => type is not ("dense" or "sparse")) is { } other) throw config.Bad("mlp_layer_types", $"'{other}' is not supported (dense and sparse are)");
            return new(Enumerable.Range(0, layers).Where(layer => types[layer] == "sparse"));
        }
        var (first, every) = (config.Count("first_k_dense_replace", otherwise: defaults.DenseLayers), config.PositiveInt("moe_layer_freq", otherwise: 1));
        return new(Enumerable.Range(0, layers).Where(layer => layer >= first && layer % every == 0));
    }
}
