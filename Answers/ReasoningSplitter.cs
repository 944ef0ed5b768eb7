namespace NanoAspire.Answers;

/// <summary>
/// Takes what the model thinks out of its text: between <c>&lt;think&gt;</c> and <c>&lt;/think&gt;</c>, the first of which may stand in
/// the prompt already. Some formats begin a tool call without closing the thought.
/// </summary>
internal sealed class ReasoningSplitter(AnswerWriter output, bool open, IReadOnlyList<string> implicitEnds)
{
    public const string Begin = "<think>";
    public const string End = "</think>";

    private readonly PendingText _input = new();
    private readonly TrimGate _thought = new(output, AnswerDeltaKind.Reasoning);
    private readonly string[] _ends = [End, .. implicitEnds];
    private State _state = open ? State.Opened : State.Start;

    private enum State { Start, Opened, Thinking, Answering }

    /// <summary>The thought goes on.</summary>
    public bool Thinking => _state is State.Opened or State.Thinking;

    /// <summary>There has been a thought: what follows is set off from it.</summary>
    public bool Thought { get; private set; } = open;

    /// <summary>Takes more text; returns what is not reasoning.</summary>
    public string Append(ReadOnlySpan<char> text, bool final)
    {
        _input.Append(text);
        _input.Final |= final;
        if (_state is State.Start or State.Opened && !BeginMarker()) return "";
        if (_state is State.Thinking && !ThinkOn()) return "";
        var rest = _input.Rest.ToString();
        _input.Skip(rest.Length);
        return rest;
    }

    /// <summary>False while the text may still turn out to begin with the marker.</summary>
    private bool BeginMarker()
    {
        var text = _input.Rest;
        var lead = text.Length - text.TrimStart().Length;
        var starts = lead == text.Length && !_input.Final ? null : Markers.Starts(text[lead..], Begin, _input.Final);
        if (starts is null) return false;
        if (starts is true) _input.Skip(lead + Begin.Length);
        _state = starts is true || _state is State.Opened ? State.Thinking : State.Answering;
        if (_state is not State.Thinking) return true;
        Thought = true;
        _thought.Boundary();
        return true;
    }

    /// <summary>True when the thought has ended.</summary>
    private bool ThinkOn()
    {
        var text = _input.Rest;
        var (at, marker) = Markers.Find(text, _ends);
        var length = at >= 0 ? at : text.Length - (_input.Final ? 0 : Markers.Held(text, _ends));
        _thought.Push(text[..length]);
        _input.Skip(length);
        if (at < 0)
        {
            if (_input.Final) _thought.Flush();
            return false;
        }
        if (marker == End) _input.Skip(End.Length);
        _thought.Boundary();
        _state = State.Answering;
        return true;
    }
}
