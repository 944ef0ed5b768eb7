using System.Text.Json.Serialization;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Protocol.OpenAI;

/// <summary>The whole answer of <c>POST /v1/chat/completions</c>.</summary>
public sealed record ChatCompletion
{
    public required string Id { get; init; }
    public string Object { get; init; } = "chat.completion";
    public required long Created { get; init; }
    public required string Model { get; init; }
    public required IReadOnlyList<ChatChoice> Choices { get; init; }
    public Usage? Usage { get; init; }
    public IReadOnlyList<int>? PromptTokenIds { get; init; }
    public KvTransferParams? KvTransferParams { get; init; }
}

public sealed record ChatChoice
{
    public required int Index { get; init; }
    public required ChatMessage Message { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public ChatLogprobs? Logprobs { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FinishReason { get; init; }
    public IReadOnlyList<int>? TokenIds { get; init; }
}

public sealed record ChatMessage
{
    public string Role { get; init; } = "assistant";
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Content { get; init; }
    /// <summary>What the model thought first, where its family marks it.</summary>
    public string? ReasoningContent { get; init; }
    /// <summary>The same once more, under the name that some newer clients read; only where asked for.</summary>
    public string? Reasoning { get; init; }
    public IReadOnlyList<ToolCall>? ToolCalls { get; init; }
}

/// <summary>One function that the model wants called.</summary>
public sealed record ToolCall
{
    /// <summary>Place among the answer's calls; only set where the call began in a part of the answer that another engine has sent, as id and name are not then.</summary>
    public int? Index { get; init; }
    public string? Id { get; init; }
    public string Type { get; init; } = "function";
    public required ToolCallFunction Function { get; init; }
}

/// <param name="Name">The function.</param>
/// <param name="Arguments">A JSON object as text; as the model wrote it, so it may be cut off or wrong.</param>
public sealed record ToolCallFunction(string? Name, string Arguments);

public sealed record ChatLogprobs
{
    public required IReadOnlyList<ChatTokenLogprob> Content { get; init; }
}

public sealed record ChatTokenLogprob
{
    public required string Token { get; init; }
    public required float Logprob { get; init; }
    public required IReadOnlyList<int> Bytes { get; init; }
    public IReadOnlyList<ChatTokenLogprob>? TopLogprobs { get; init; }
}
