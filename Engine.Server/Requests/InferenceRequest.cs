using System.Text.Json.Nodes;
using NanoAspire.Engine.Text.Grammar;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Requests;

/// <summary>A chat or text completion request after parsing: everything validated that needs no tokenizer.</summary>
internal sealed record InferenceRequest
{
    public required bool Chat { get; init; }
    public required string Model { get; init; }
    /// <summary>Chat only.</summary>
    public JsonArray? Messages { get; init; }
    public JsonArray? Tools { get; init; }
    public JsonObject? TemplateArguments { get; init; }
    public bool AddGenerationPrompt { get; init; } = true;
    /// <summary>Text completions only: each is a string or a list of ids.</summary>
    public IReadOnlyList<PromptInput> Prompts { get; init; } = [];
    public required SamplingParams Sampling { get; init; }
    public required IReadOnlyList<string> Stops { get; init; }
    public int Choices { get; init; } = 1;
    public bool Stream { get; init; }
    public bool IncludeUsage { get; init; }
    public bool ReturnTokenIds { get; init; }
    /// <summary>Every token's event names its id, so that another engine can go on from there (<see cref="ResumeTokenIds"/>).</summary>
    public bool Resumable { get; init; }
    /// <summary>Output that another engine has generated and sent: the answer goes on after it. Null for an answer from its beginning.</summary>
    public int[]? ResumeTokenIds { get; init; }
    /// <summary>What the text must look like; null for any.</summary>
    public OutputConstraint? Format { get; init; }
    /// <summary>The field that <see cref="Format"/> came in, for errors.</summary>
    public string? FormatField { get; init; }
    /// <summary>Null: no tools, or none may be called.</summary>
    public ToolChoice? ToolChoice { get; init; }
    public bool ParallelToolCalls { get; init; } = true;
    public bool SkipSpecialTokens { get; init; } = true;
    public bool Echo { get; init; }
    public KvTransferParams? KvTransfer { get; init; }
}

/// <summary>One prompt of a text completion: text or ids, never both.</summary>
internal readonly record struct PromptInput(string? Text, int[]? Ids);
