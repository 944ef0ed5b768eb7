using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>DeepSeek-V3.2: DeepSeek-V3 with an indexer in every layer. The indexer rotates in halves, the attention by neighbours.</summary>
internal static class DeepSeekV32Config
{
    public static IModelConfig Read(ConfigSection config)
    {
        var dense = DeepSeekV3Config.ReadDense(config, LatentDefaults.DeepSeekV3);
        IndexerConfig.CheckPairing(config);
        if (config.Flag("indexer_rope_interleave", otherwise: false)) throw config.Bad("indexer_rope_interleave", "true is not supported by this architecture");
        return dense with { Attention = dense.Attention with { Indexer = IndexerConfig.Read(config, dense.Attention, RopePairing.Halves) } };
    }
}
