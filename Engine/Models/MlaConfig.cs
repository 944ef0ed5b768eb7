using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Multi-head latent attention, by the field names of config.json.</summary>
internal sealed record MlaConfig
{
    public required int Hidden { get; init; }
    public required int Heads { get; init; }
    /// <summary>Columns of the query latent; null where queries come straight from the stream.</summary>
    public required int? QueryRank { get; init; }
    /// <summary>Columns of the latent that stands for keys and values of all heads.</summary>
    public required int LatentRank { get; init; }
    /// <summary>Columns of a query head that carry no position.</summary>
    public required int NopeDim { get; init; }
    /// <summary>Columns of a query head that are rotated; the rotated key has as many, for all heads one.</summary>
    public required int RopeDim { get; init; }
    public required int ValueDim { get; init; }
    public required RopeConfig Rope { get; init; }
    public required RopePairing Pairing { get; init; }
    /// <summary>Null where attention is dense.</summary>
    public IndexerConfig? Indexer { get; init; }

    public int QueryDim => NopeDim + RopeDim;
    public float Scale => (float)(1 / Math.Sqrt(QueryDim) * (Rope.Scaling?.ScoreFactor ?? 1));

    public static MlaConfig Read(ConfigSection config, LatentDefaults defaults)
    {
        var read = new MlaConfig
        {
            Hidden = config.PositiveInt("hidden_size", ConfigLimits.Columns),
            Heads = config.PositiveInt("num_attention_heads", ConfigLimits.Heads),
            QueryRank = config.IsNull("q_lora_rank") ? null : config.PositiveInt("q_lora_rank", ConfigLimits.Columns, defaults.QueryRank),
            LatentRank = config.PositiveInt("kv_lora_rank", ConfigLimits.HeadDim),
            NopeDim = config.PositiveInt("qk_nope_head_dim", ConfigLimits.HeadDim),
            RopeDim = config.PositiveInt("qk_rope_head_dim", ConfigLimits.HeadDim),
            ValueDim = config.PositiveInt("v_head_dim", ConfigLimits.HeadDim),
            Rope = RopeConfig.Read(config, config.PositiveInt("max_position_embeddings"), defaults.Theta),
            Pairing = config.Flag("rope_interleave", otherwise: true) ? RopePairing.Neighbours : RopePairing.Halves,
        };
        if (read.RopeDim % 2 != 0) throw config.Bad("qk_rope_head_dim", $"({read.RopeDim}) is not even");
        if (config.OptionalPositiveInt("qk_head_dim") is { } dim && dim != read.QueryDim)
            throw config.Bad("qk_head_dim", $"({dim}) is not qk_nope_head_dim + qk_rope_head_dim ({read.QueryDim})");
        if (config.Flag("attention_bias", otherwise: false)) throw config.Bad("attention_bias", "true is not supported");
        if (config.OptionalPositiveInt("num_key_value_heads") is { } keys && keys != read.Heads)
            throw config.Bad("num_key_value_heads", $"({keys}) is not num_attention_heads ({read.Heads}): a latent stands for the keys of all heads");
        if (RopeConfig.Share(config, otherwise: 1) is var share && share != 1) throw config.Bad("partial_rotary_factor", $"({share}) is not supported by this architecture");
        if (read.Rope.Scaling is null && RopeConfig.Section(config)?.OptionalFactor("mscale_all_dim") is not null)
            throw config.Bad("mscale_all_dim", "without a rope_type that scales is not supported: implementations differ on what it means");
        return read;
    }
}
