namespace NanoAspire.Tests;

/// <summary>The reference checkpoints whose architecture is served, by folder name: what every family is tested with.</summary>
internal static class GoldenNames
{
    public static IReadOnlyList<string> All { get; } =
    [
        "qwen3-dense-tied", "qwen3-dense-untied", "qwen3-dense-yarn",
        "qwen3-moe",
        "qwen3-vl", "qwen3-next", "qwen3.5-moe",
        "deepseek-v3", "deepseek-v3-fp8", "deepseek-v3-noyarn-noqlora", "kimi-k2", "deepseek-v3.2", "glm-5", "glm-5-shared-indexer",
        "deepseek-v4",
    ];
}
