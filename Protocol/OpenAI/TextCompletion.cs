using System.Text.Json.Serialization;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Protocol.OpenAI;

/// <summary>Answer of <c>POST /v1/completions</c>; streamed events have the same shape.</summary>
public sealed record TextCompletion
{
    public required string Id { get; init; }
    public string Object { get; init; } = "text_completion";
    public required long Created { get; init; }
    public required string Model { get; init; }
    public required IReadOnlyList<TextChoice> Choices { get; init; }
    public Usage? Usage { get; init; }
    public KvTransferParams? KvTransferParams { get; init; }
}

public sealed record TextChoice
{
    public required int Index { get; init; }
    public required string Text { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public TextLogprobs? Logprobs { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FinishReason { get; init; }
    public IReadOnlyList<int>? PromptTokenIds { get; init; }
    public IReadOnlyList<int>? TokenIds { get; init; }
}

public sealed record TextLogprobs
{
    public required IReadOnlyList<string> Tokens { get; init; }
    public required IReadOnlyList<float> TokenLogprobs { get; init; }
    public required IReadOnlyList<IReadOnlyDictionary<string, float>> TopLogprobs { get; init; }
    public required IReadOnlyList<int> TextOffset { get; init; }
}
