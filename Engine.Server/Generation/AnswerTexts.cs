using System.Text.Json;
using NanoAspire.Answers;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Server.Requests;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>Makes the texts of a request's choices: which of them are parsed, and where an answer that goes on begins.</summary>
internal sealed class AnswerTexts(ServedModel model)
{
    /// <summary>Enough for the end of a thought's opening marker in any vocabulary.</summary>
    private const int PromptTail = 16;

    private static readonly string[] Thought = ["<think>", "</think>"];

    /// <param name="request">Whose choice it is.</param>
    /// <param name="prompt">The prompt, resumed tokens included.</param>
    public ChoiceText Create(InferenceRequest request, IReadOnlyList<int> prompt)
    {
        var resumed = request.ResumeTokenIds ?? [];
        var calls = CallsOf(request);
        var reasoning = request.Chat && model.Tokenizer is not null ? model.Reasoning : null;
        AnswerParser? parser = null;
        string[] markers = [.. reasoning is null ? [] : Thought, .. calls?.Markers ?? []];
        if (calls is not null || reasoning is not null)
        {
            var open = reasoning is not null && EndsInThought(prompt, prompt.Count - resumed.Length);
            parser = new(reasoning, open, calls, SchemasOf(request), request.ParallelToolCalls);
        }
        var text = new ChoiceText(model.Tokenizer, request.Stops, request.SkipSpecialTokens, parser, markers);
        text.Replay(resumed);
        return text;
    }

    /// <summary>Characters of text in the part of the answer that another engine has sent.</summary>
    public int ResumedLength(InferenceRequest request) =>
        request.ResumeTokenIds is { } resumed ? new ChoiceText(model.Tokenizer, request.Stops, request.SkipSpecialTokens).Replay(resumed) : 0;

    /// <summary>A model without a format of its own calls in plain JSON, where a grammar makes it call.</summary>
    private ToolCallFormat? CallsOf(InferenceRequest request) =>
        request.Tools is null || model.Tokenizer is null ? null : model.ToolCalls ?? (request.ToolChoice is { Required: true } ? ToolCallFormat.Json : null);

    private static ToolSchemas SchemasOf(InferenceRequest request)
    {
        if (request.Tools is null) return ToolSchemas.None;
        using var tools = JsonDocument.Parse(request.Tools.ToJsonString());
        return ToolSchemas.Read(tools.RootElement);
    }

    /// <summary>Templates that have the model think first end their prompt with the opening marker.</summary>
    private bool EndsInThought(IReadOnlyList<int> prompt, int length)
    {
        var start = Math.Max(0, length - PromptTail);
        return model.Tokenizer!.Decode([.. prompt.Skip(start).Take(length - start)], skipSpecialTokens: false).TrimEnd().EndsWith(Thought[0], StringComparison.Ordinal);
    }
}
