namespace NanoAspire.Answers.Calls;

/// <summary>
/// Finds the end of a value between tags. A closing tag counts only where something follows that can follow a value, so a value
/// may hold the tag's own text.
/// </summary>
internal sealed class MarkupValue(MarkupFormat format)
{
    private readonly IReadOnlyList<string> _followers = format.AfterValue;
    private bool _atStart;

    /// <summary>The value has not been closed.</summary>
    public bool Open { get; private set; }

    public void Begin() => (_atStart, Open) = (true, true);

    /// <summary>How much of the text certainly belongs to the value, and where the text after its closing tag begins; null while the value goes on.</summary>
    public (int Length, int? End) Read(ReadOnlySpan<char> text, bool final)
    {
        for (var at = text.IndexOf('<'); at >= 0; at = NextTag(text, at))
        {
            if (Closes(text, at, final) is not { } end) return (Certain(text, at), null);
            if (end < 0) continue;
            Open = false;
            return (Certain(text, at), end);
        }
        return (Certain(text, text.Length), null);
    }

    /// <summary>What the value shows of the next characters of it: with line-wise tags, not the first line end.</summary>
    public ReadOnlySpan<char> Visible(ReadOnlySpan<char> text)
    {
        if (!_atStart || text.IsEmpty) return text;
        _atStart = false;
        return format.ByLines && text[0] == '\n' ? text[1..] : text;
    }

    /// <summary>Where the text goes on if a tag at this place ends the value; -1 if it does not; null when it is too early to tell.</summary>
    private int? Closes(ReadOnlySpan<char> text, int at, bool final)
    {
        switch (Markers.Starts(text[at..], format.ParameterClose, final))
        {
            case null:
                return null;
            case true:
                var after = at + format.ParameterClose.Length;
                var rest = text[after..].TrimStart();
                if (rest.IsEmpty) return final ? after : null;
                return Any(rest, final) switch { null => null, true => after, _ => -1 };
        }
        var lineStart = at == 0 ? _atStart : text[at - 1] == '\n';
        if (!format.ByLines || !lineStart) return -1;
        return Any(text[at..], final) switch { null => null, true => at, _ => -1 };
    }

    private bool? Any(ReadOnlySpan<char> text, bool final)
    {
        var open = false;
        foreach (var tag in _followers)
        {
            var starts = Markers.Starts(text, tag, final);
            if (starts is true) return true;
            open |= starts is null;
        }
        return open ? null : false;
    }

    /// <summary>A line end before a tag may be the tag's.</summary>
    private int Certain(ReadOnlySpan<char> text, int at) => format.ByLines && at > 0 && text[at - 1] == '\n' ? at - 1 : at;

    private static int NextTag(ReadOnlySpan<char> text, int at)
    {
        var next = text[(at + 1)..].IndexOf('<');
        return next < 0 ? -1 : at + 1 + next;
    }
}
