using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>The architectures that can be loaded, by the name in <c>architectures[0]</c>.</summary>
internal static class ModelFamilies
{
    private static readonly Dictionary<string, Family> ByArchitecture = new(StringComparer.Ordinal)
    {
        ["Qwen3ForCausalLM"] = new("qwen3", Qwen3Config.Read),
        ["DeepseekV4ForCausalLM"] = new("deepseek_v4", DeepSeekV4Config.Read),
        ["Qwen3MoeForCausalLM"] = new("qwen3_moe", Qwen3MoeConfig.Read),
    };

    /// <exception cref="ModelLoadException">Unknown, or the two names of the family contradict each other.</exception>
    public static (string Architecture, string ModelType, IModelConfig Config) Read(ConfigSection config)
    {
        var modelType = config.OptionalText("model_type") ?? throw config.Bad("model_type", "is missing");
        var architectures = config.Texts("architectures");
        var architecture = architectures.Count > 0 ? architectures[0] : ByArchitecture.FirstOrDefault(entry => entry.Value.ModelType == modelType).Key;
        if (!ByArchitecture.Values.Any(family => family.ModelType == modelType))
            throw config.Bad("model_type", $"'{modelType}' is not supported ({string.Join(", ", ByArchitecture.Values.Select(family => family.ModelType))} are)");
        if (architecture is null || !ByArchitecture.TryGetValue(architecture, out var found))
            throw config.Bad("architectures", $"'{architecture}' is not supported ({string.Join(", ", ByArchitecture.Keys)} are)");
        if (found.ModelType != modelType) throw config.Bad("model_type", $"'{modelType}' does not belong to architecture {architecture}");
        return (architecture, modelType, found.Read(config));
    }

    private sealed record Family(string ModelType, Func<ConfigSection, IModelConfig> Read);
}
