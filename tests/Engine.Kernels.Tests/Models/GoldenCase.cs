using System.Text.Json;
using System.Text.Json.Serialization;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>A reference checkpoint with the outputs of independent implementations.</summary>
internal sealed record GoldenCase
{
    [JsonPropertyName("tolerance")] public required GoldenTolerance Tolerance { get; init; }
    [JsonPropertyName("prompts")] public required IReadOnlyList<GoldenPrompt> Prompts { get; init; }

    public static string Folder(string name) => Path.Combine(RepositoryPaths.Goldens, name);

    [JsonIgnore] public IEnumerable<GoldenPrompt> TextPrompts => Prompts.Where(prompt => prompt.Vision is null);

    [JsonIgnore] public IEnumerable<GoldenPrompt> ImagePrompts => Prompts.Where(prompt => prompt.Vision is not null);

    public static GoldenCase Read(string name) => JsonSerializer.Deserialize<GoldenCase>(File.ReadAllBytes(Path.Combine(Folder(name), "golden.json")))!;
}

internal sealed record GoldenTolerance
{
    [JsonPropertyName("logits_abs")] public required double Logits { get; init; }
}

internal sealed record GoldenPrompt
{
    /// <summary>Set for prompts with images.</summary>
    [JsonPropertyName("vision_file_prefix")] public string? Vision { get; init; }
    /// <summary>Frames, rows and columns of patches of each image.</summary>
    [JsonPropertyName("image_grid_thw")] public int[][]? Grids { get; init; }
    [JsonPropertyName("rope_delta")] public int RopeDelta { get; init; }
    [JsonPropertyName("prompt_ids")] public required int[] PromptIds { get; init; }
    [JsonPropertyName("logits_last")] public required float[] LogitsLast { get; init; }
    [JsonPropertyName("logits_all_argmax")] public required int[] ArgMax { get; init; }
    [JsonPropertyName("greedy_ids")] public required int[] GreedyIds { get; init; }
    [JsonPropertyName("final_step_logits")] public required float[] FinalLogits { get; init; }
}
