using NanoAspire.Answers;

namespace NanoAspire.Router.Options;

/// <summary>How answers of engines that do not do it themselves are told apart into reasoning, content and tool calls.</summary>
internal sealed record ParsingOptions
{
    /// <summary>Engines that list it are left alone.</summary>
    public const string Capability = "parses_answers";

    /// <summary>Name of the tool calls' format; null: answers are not searched for calls.</summary>
    public string? ToolCalls { get; init; }
    /// <summary>Name of the reasoning's format; null: reasoning stays in the content.</summary>
    public string? Reasoning { get; init; }

    /// <summary>Reasoning also comes as <c>reasoning</c>, not only as <c>reasoning_content</c>.</summary>
    public bool MirrorReasoning { get; init; }

    public bool Enabled => ToolCalls is not null || Reasoning is not null;

    public void Validate()
    {
        RouterOptions.Require(ToolCalls is null || ToolCallFormat.Find(ToolCalls) is not null, $"--tool-call-parser must be one of {string.Join(", ", ToolCallFormat.Names)}");
        RouterOptions.Require(Reasoning is null || ReasoningFormat.Find(Reasoning) is not null, $"--reasoning-parser must be one of {string.Join(", ", ReasoningFormat.Names)}");
    }
}
