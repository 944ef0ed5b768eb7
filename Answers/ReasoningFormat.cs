namespace NanoAspire.Answers;

/// <summary>How a model family marks its reasoning.</summary>
public sealed record ReasoningFormat
{
    public required string Name { get; init; }
    /// <summary>Whether the answer begins inside the thought when the prompt is not known (its end decides where it is).</summary>
    public bool OpenByDefault { get; init; }
    /// <summary>Markers of a tool call that end a thought without its closing marker.</summary>
    public IReadOnlyList<string> ImplicitEnds { get; init; } = [];

    private static readonly ReasoningFormat[] Known =
    [
        new() { Name = "qwen3" },
        new() { Name = "qwen3_thinking", OpenByDefault = true, ImplicitEnds = ["<tool_call>\n<function=", "<tool_call><function="] },
        new() { Name = "deepseek_r1", OpenByDefault = true },
        new() { Name = "deepseek_v3" },
        new() { Name = "deepseek_v4", ImplicitEnds = ["<｜DSML｜tool_calls>"] },
        new() { Name = "glm45" },
        new() { Name = "glm47", OpenByDefault = true },
        new() { Name = "kimi_k2", ImplicitEnds = ["<|tool_calls_section_begin|>"] },
    ];

    /// <summary>Names for an option's help and errors.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(format => format.Name)];

    /// <summary>The format of that name, or null.</summary>
    public static ReasoningFormat? Find(string name) => Array.Find(Known, format => format.Name == name);

    /// <summary>What fits a model; null when its template knows no reasoning markers.</summary>
    /// <param name="modelType"><c>model_type</c> of config.json.</param>
    /// <param name="template">Source of the chat template.</param>
    public static ReasoningFormat? Detect(string modelType, string? template)
    {
        if (template is null || !template.Contains("</think>", StringComparison.Ordinal)) return null;
        return Find(modelType switch
        {
            "deepseek_v4" => "deepseek_v4",
            "deepseek_v3" or "deepseek_v32" or "deepseek_v2" => "deepseek_v3",
            "kimi_k2" or "kimi_k25" => "kimi_k2",
            "glm4_moe" or "glm_moe_dsa" or "glm5" => "glm45",
            _ when template.Contains("<|tool_calls_section_begin|>", StringComparison.Ordinal) => "kimi_k2",
            _ when template.Contains("<function=", StringComparison.Ordinal) => "qwen3_thinking",
            _ => "qwen3",
        });
    }
}
