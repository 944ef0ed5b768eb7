using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>GLM-5: as DeepSeek-V3.2, but the configuration says how the indexer rotates, and some layers may share another's choice.</summary>
internal static class Glm5Config
{
    public static IModelConfig Read(ConfigSection config)
    {
        var dense = DeepSeekV3Config.ReadDense(config, LatentDefaults.Glm5);
        IndexerConfig.CheckPairing(config);
        // Without the field implementations differ.
        if (!config.Has("indexer_rope_interleave")) throw config.Bad("indexer_rope_interleave", "is missing");
        var pairing = config.Flag("indexer_rope_interleave", otherwise: false) ? RopePairing.Neighbours : RopePairing.Halves;
        var indexer = IndexerConfig.Read(config, dense.Attention, pairing) with { Shared = IndexerConfig.ReadShared(config, dense.Layers) };
        return dense with { Attention = dense.Attention with { Indexer = indexer } };
    }
}
