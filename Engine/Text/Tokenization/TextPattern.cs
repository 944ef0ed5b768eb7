using NanoAspire.Engine.Text.Patterns;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>The <c>pattern</c> of a Split or Replace step: {"String": …} or {"Regex": …}.</summary>
internal sealed class TextPattern
{
    private readonly string? _literal;
    private readonly RunePattern? _regex;

    private TextPattern(string? literal, RunePattern? regex) => (_literal, _regex) = (literal, regex);

    /// <summary>The text to look for, null when this is a regular expression.</summary>
    public string? Literal => _literal;

    public static TextPattern Regex(string pattern) => new(null, RunePattern.Parse(pattern));

    public static TextPattern Read(JsonField field)
    {
        if (field.IsString) return OfLiteral(field);
        if (field["String"] is { IsNull: false } literal) return OfLiteral(literal);
        var regex = field["Regex"];
        try
        {
            return Regex(regex.String());
        }
        catch (FormatException e)
        {
            throw regex.Error($"is not supported: {e.Message}");
        }
    }

    /// <summary>Calls <paramref name="found"/> with each match that is not empty, in order.</summary>
    public void ForEachMatch(ReadOnlySpan<char> text, Action<int, int> found)
    {
        if (_regex is null)
        {
            for (var at = 0; text[at..].IndexOf(_literal, StringComparison.Ordinal) is >= 0 and var skip; at += skip + _literal!.Length)
            {
                found(at + skip, _literal!.Length);
            }
            return;
        }
        var matcher = new RuneMatcher(_regex);
        for (var at = 0; at < text.Length && matcher.Find(text, at, out var start, out var end); )
        {
            if (end > start) found(start, end - start);
            at = end > start ? end : end + (end < text.Length && char.IsHighSurrogate(text[end]) ? 2 : 1);
        }
    }

    public string Replace(string text, string content)
    {
        if (_literal is not null) return text.Replace(_literal, content, StringComparison.Ordinal);
        var result = new System.Text.StringBuilder();
        var done = 0;
        ForEachMatch(text, (start, length) =>
        {
            result.Append(text, done, start - done).Append(content);
            done = start + length;
        });
        return done == 0 ? text : result.Append(text, done, text.Length - done).ToString();
    }

    private static TextPattern OfLiteral(JsonField field) =>
        field.String() is { Length: > 0 } literal ? new(literal, null) : throw field.Error("is empty");
}
