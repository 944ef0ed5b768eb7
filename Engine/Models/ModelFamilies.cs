using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>The architectures that can be loaded, by the name in <c>architectures[0]</c>.</summary>
internal static class ModelFamilies
{
    private static readonly Family[] All =
    [
        new("Qwen3ForCausalLM", "qwen3", Qwen3Config.Read),
        new("Qwen3MoeForCausalLM", "qwen3_moe", Qwen3MoeConfig.Read),
        new("Qwen3VLForConditionalGeneration", "qwen3_vl", Qwen3VLConfig.Read),
        new("Qwen3VLMoeForConditionalGeneration", "qwen3_vl_moe", Qwen3VLConfig.ReadSparse),
        new("Qwen3NextForCausalLM", "qwen3_next", Qwen3NextConfig.ReadNext),
        new("Qwen3_5MoeForConditionalGeneration", "qwen3_5_moe", Qwen3NextConfig.ReadMultimodal),
        new("DeepseekV3ForCausalLM", "deepseek_v3", DeepSeekV3Config.Read),
        new("DeepseekV3ForCausalLM", "kimi_k2", DeepSeekV3Config.ReadKimi),
        new("KimiK2ForCausalLM", "kimi_k2", DeepSeekV3Config.ReadKimi),
        new("DeepseekV32ForCausalLM", "deepseek_v32", DeepSeekV32Config.Read),
        new("DeepseekV4ForCausalLM", "deepseek_v4", DeepSeekV4Config.Read),
        new("GlmMoeDsaForCausalLM", "glm_moe_dsa", Glm5Config.Read),
    ];

    /// <summary>Fields of any family that change what is computed, and that no family here computes.</summary>
    private static readonly string[] Unsupported = ["dual_chunk_attention_config", "per_layer_config"];

    /// <exception cref="ModelLoadException">Unknown, or the two names of the family contradict each other.</exception>
    public static (string Architecture, string ModelType, IModelConfig Config) Read(ConfigSection config)
    {
        var modelType = config.OptionalText("model_type") ?? throw config.Bad("model_type", "is missing");
        var architectures = config.Texts("architectures");
        var architecture = architectures.Count > 0 ? architectures[0] : All.FirstOrDefault(family => family.ModelType == modelType)?.Architecture;
        if (!All.Any(family => family.ModelType == modelType))
            throw config.Bad("model_type", $"'{modelType}' is not supported ({string.Join(", ", All.Select(family => family.ModelType).Distinct())} are)");
        if (!All.Any(family => family.Architecture == architecture))
            throw config.Bad("architectures", $"'{architecture}' is not supported ({string.Join(", ", All.Select(family => family.Architecture).Distinct())} are)");
        var found = All.FirstOrDefault(family => family.Architecture == architecture && family.ModelType == modelType)
            ?? throw config.Bad("model_type", $"'{modelType}' does not belong to architecture {architecture}");
        foreach (var section in (ConfigSection?[])[config, config.OptionalSection("text_config")])
            if (Unsupported.FirstOrDefault(field => section?.Has(field) == true) is { } field) throw section!.Bad(field, "is not supported");
        return (found.Architecture, modelType, found.Read(config));
    }

    private sealed record Family(string Architecture, string ModelType, Func<ConfigSection, IModelConfig> Read);
}
