using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Qwen3-MoE: Qwen3 with a mixture of experts in most layers, chosen by softmax; no shared expert.</summary>
internal static class Qwen3MoeConfig
{
    public static IModelConfig Read(ConfigSection config) => Read(config, Qwen3Defaults.Sparse);

    /// <param name="config">The text model's.</param>
    /// <param name="defaults">Of the family.</param>
    internal static Qwen3Config Read(ConfigSection config, Qwen3Defaults defaults)
    {
        var dense = Qwen3Config.ReadDense(config, defaults);
        return dense with
        {
            Experts = new MixtureConfig
            {
                ExpertSize = config.PositiveInt("moe_intermediate_size", ConfigLimits.Columns),
                Router = ReadRouter(config, defaults.Normalise),
            }.Check(config, "num_experts", "num_experts_per_tok"),
            SparseLayers = ReadSparseLayers(config, dense.Layers),
        };
    }

    internal static RouterConfig ReadRouter(ConfigSection config, bool normalise) => new()
    {
        Score = RouterScore.Softmax,
        Experts = MixtureConfig.ReadCount(config, "num_experts", "num_local_experts"),
        TopK = config.PositiveInt("num_experts_per_tok"),
        Normalise = config.Flag("norm_topk_prob", otherwise: normalise),
    };

    /// <summary>Every <c>decoder_sparse_step</c>-th layer, but those of <c>mlp_only_layers</c>.</summary>
    internal static LayerSet ReadSparseLayers(ConfigSection config, int layers)
    {
        var (step, dense) = (config.PositiveInt("decoder_sparse_step", otherwise: 1), config.Counts("mlp_only_layers").ToHashSet());
        if (dense.Any(layer => layer >= layers)) throw config.Bad("mlp_only_layers", $"names layer {dense.Max()} of {layers}");
        return new(Enumerable.Range(0, layers).Where(layer => (layer + 1) % step == 0 && !dense.Contains(layer)));
    }
}
