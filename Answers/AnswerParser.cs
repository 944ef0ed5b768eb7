namespace NanoAspire.Answers;

/// <summary>
/// Reads one answer as it is generated and says what each piece of it is. However the text is cut, the deltas put together are the
/// same; text that is no valid call is content. For one answer, one thread at a time.
/// </summary>
public sealed class AnswerParser
{
    private readonly AnswerWriter _output;
    private readonly ReasoningSplitter? _reasoning;
    private readonly Calls.CallParser? _calls;
    private readonly TrimGate _content;
    private bool _setOff;
    private char _half;

    /// <param name="reasoning">Null: the text holds no reasoning.</param>
    /// <param name="reasoningOpen">The prompt ends inside the thought.</param>
    /// <param name="calls">Null: the text holds no calls.</param>
    /// <param name="schemas">Types of the tools' parameters.</param>
    /// <param name="parallel">False: the answer ends with its first call.</param>
    /// <param name="newId">Makes ids for calls that come without; null for random ones.</param>
    public AnswerParser(ReasoningFormat? reasoning, bool reasoningOpen, ToolCallFormat? calls, ToolSchemas schemas, bool parallel = true, Func<string>? newId = null)
    {
        _output = new(newId ?? (static () => $"call_{Guid.NewGuid():N}"));
        _reasoning = reasoning is null ? null : new(_output, reasoningOpen, calls is null ? [] : reasoning.ImplicitEnds);
        _calls = calls?.Create(_output, schemas, parallel);
        _content = new(_output, AnswerDeltaKind.Content);
    }

    /// <summary>Calls begun so far.</summary>
    public int Calls => _output.Calls;

    /// <summary>A call has begun and is not complete.</summary>
    public bool CallOpen => _output.CallOpen;

    /// <summary>What comes now is reasoning.</summary>
    public bool Thinking => _reasoning?.Thinking is true;

    /// <summary>The only call that is allowed is complete: the answer can end here.</summary>
    public bool Done => _calls?.Done is true;

    /// <summary>Takes more text.</summary>
    /// <returns>What is certain now; may be empty.</returns>
    public IReadOnlyList<AnswerDelta> Append(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (_half != 0) text = _half + text;
        _half = text is [.., var last] && char.IsHighSurrogate(last) ? last : '\0';
        Push(_half == 0 ? text : text[..^1], final: false);
        return _output.Take();
    }

    /// <summary>The end of the answer.</summary>
    /// <param name="truncated">The token budget ended it: an open call stays open.</param>
    public IReadOnlyList<AnswerDelta> Finish(bool truncated)
    {
        Push(_half == 0 ? "" : "\uFFFD", final: true);
        if (_calls is null) _content.Flush();
        else _calls.Finish(truncated);
        return _output.Take();
    }

    private void Push(string text, bool final)
    {
        if (_reasoning is not null) text = _reasoning.Append(text, final);
        if (_reasoning is { Thought: true } && !_setOff)
        {
            _setOff = true;
            _content.Boundary();
            _calls?.Boundary();
        }
        if (_calls is not null) _calls.Append(text);
        else _content.Push(text);
    }
}
