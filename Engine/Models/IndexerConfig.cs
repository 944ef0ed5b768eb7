using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>The lightning indexer of sparse attention, by the field names of config.json.</summary>
internal sealed record IndexerConfig
{
    public required int Heads { get; init; }
    public required int HeadDim { get; init; }
    /// <summary>Positions a token attends to at most.</summary>
    public required int TopK { get; init; }
    /// <summary>Of the leading columns of its queries and keys.</summary>
    public required RopePairing Pairing { get; init; }
    /// <summary>Layers without an indexer of their own: they attend to what the last layer with one chose.</summary>
    public LayerSet Shared { get; init; } = new([]);

    public static IndexerConfig Read(ConfigSection config, MlaConfig attention, RopePairing pairing)
    {
        var read = new IndexerConfig
        {
            Heads = config.PositiveInt("index_n_heads", ConfigLimits.Heads),
            HeadDim = config.PositiveInt("index_head_dim", ConfigLimits.HeadDim),
            TopK = config.PositiveInt("index_topk", ConfigLimits.Chosen),
            Pairing = pairing,
        };
        if (read.HeadDim < attention.RopeDim) throw config.Bad("index_head_dim", $"({read.HeadDim}) is less than qk_rope_head_dim ({attention.RopeDim})");
        if (attention.QueryRank is null) throw config.Bad("q_lora_rank", "is missing: the indexer reads the query latent");
        return read;
    }

    /// <summary>The attention of the families with an indexer rotates by neighbours, whatever the field of DeepSeek-V3 says.</summary>
    public static void CheckPairing(ConfigSection config)
    {
        if (!config.Flag("rope_interleave", otherwise: true)) throw config.Bad("rope_interleave", "false is not supported by this architecture");
    }

    /// <summary><c>indexer_types</c>, one a layer: <c>full</c> or <c>shared</c>.</summary>
    public static LayerSet ReadShared(ConfigSection config, int layers)
    {
        var types = config.Texts("indexer_types");
        if (types.Count == 0)
        {
            // Implementations disagree on which layers a frequency means, so it is not enough.
            if (config.Has("index_topk_pattern")) throw config.Bad("index_topk_pattern", "needs indexer_types");
            if (config.OptionalPositiveInt("index_topk_freq") is > 1) throw config.Bad("index_topk_freq", "above 1 needs indexer_types");
            return new([]);
        }
        if (types.Count < layers) throw config.Bad("indexer_types", $"names {types.Count} of {layers} layers");
        if (types.FirstOrDefault(type => type is not ("full" or "shared")) is { } other) throw config.Bad("indexer_types", $"'{other}' is not supported (full and shared are)");
        if (types[0] != "full") throw config.Bad("indexer_types", "begins with 'shared', which has nothing to share");
        return new(Enumerable.Range(0, layers).Where(layer => types[layer] == "shared"));
    }
}
