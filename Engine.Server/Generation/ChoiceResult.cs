using System.Text;
using NanoAspire.Answers;
using NanoAspire.Protocol.OpenAI;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>One choice put together from its deltas.</summary>
internal sealed class ChoiceResult
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _reasoning = new();
    private readonly List<(AnswerDelta Call, StringBuilder Arguments)> _calls = [];
    private bool _parsed;

    public List<SampledToken> Tokens { get; } = [];
    /// <summary>Length of the text before each token, for text completions' <c>text_offset</c>.</summary>
    public List<int> Offsets { get; } = [];
    public string? FinishReason { get; private set; }
    public string? Error { get; private set; }
    public int CachedTokens { get; private set; }
    public int ReasoningTokens { get; private set; }
    public string Text => _text.ToString();

    /// <summary>The choice as a chat message.</summary>
    public ChatMessage Message => new()
    {
        Content = _parsed && _text.Length == 0 && (_calls.Count > 0 || _reasoning.Length > 0) ? null : Text,
        ReasoningContent = _reasoning.Length == 0 ? null : _reasoning.ToString(),
        ToolCalls = _calls.Count == 0 ? null : [.. _calls.Select(call => new ToolCall
        {
            Index = call.Call.CallIndex == _calls.IndexOf(call) && call.Call.Id is not null ? null : call.Call.CallIndex,
            Id = call.Call.Id,
            Function = new(call.Call.Name, call.Arguments.ToString()),
        })],
    };

    public void Add(in ChoiceDelta delta)
    {
        if (Tokens.Count == 0) CachedTokens = delta.CachedTokens;
        if (delta.Token is { } token)
        {
            Offsets.Add(_text.Length);
            Tokens.Add(token);
        }
        if (delta.Parts is null) _text.Append(delta.Text);
        else Add(delta.Parts);
        ReasoningTokens = Math.Max(ReasoningTokens, delta.ReasoningTokens);
        FinishReason ??= delta.FinishReason;
        Error ??= delta.Error;
    }

    private void Add(IReadOnlyList<AnswerDelta> parts)
    {
        _parsed = true;
        foreach (var part in parts)
        {
            switch (part.Kind)
            {
                case AnswerDeltaKind.Content: _text.Append(part.Text); break;
                case AnswerDeltaKind.Reasoning: _reasoning.Append(part.Text); break;
                case AnswerDeltaKind.Call: _calls.Add((part, new())); break;
                // Of an answer that goes on, the call may have begun in the part that the client has.
                case AnswerDeltaKind.Arguments when _calls.Count == 0: _calls.Add((part, new(part.Text))); break;
                case AnswerDeltaKind.Arguments: _calls[^1].Arguments.Append(part.Text); break;
            }
        }
    }
}
