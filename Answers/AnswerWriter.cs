using System.Text;

namespace NanoAspire.Answers;

/// <summary>Collects deltas; neighbours of the same kind become one. Numbers the calls.</summary>
internal sealed class AnswerWriter(Func<string> newId)
{
    private readonly List<AnswerDelta> _deltas = [];
    private readonly StringBuilder _text = new();
    private AnswerDeltaKind _kind;

    /// <summary>Calls begun so far.</summary>
    public int Calls { get; private set; }

    /// <summary>A call has begun whose arguments are not complete.</summary>
    public bool CallOpen { get; private set; }

    public void Text(AnswerDeltaKind kind, ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) return;
        if (_kind != kind) Seal();
        _kind = kind;
        _text.Append(text);
    }

    public void BeginCall(string name, string? id = null)
    {
        Seal();
        _deltas.Add(new(AnswerDeltaKind.Call, "", Calls++, id ?? newId(), name));
        CallOpen = true;
    }

    public void Arguments(ReadOnlySpan<char> json) => Text(AnswerDeltaKind.Arguments, json);

    public void EndCall() => CallOpen = false;

    /// <summary>What has gathered since the last time.</summary>
    public IReadOnlyList<AnswerDelta> Take()
    {
        Seal();
        if (_deltas.Count == 0) return [];
        AnswerDelta[] taken = [.. _deltas];
        _deltas.Clear();
        return taken;
    }

    private void Seal()
    {
        if (_text.Length == 0) return;
        _deltas.Add(new(_kind, _text.ToString(), _kind is AnswerDeltaKind.Arguments ? Calls - 1 : -1));
        _text.Clear();
    }
}
