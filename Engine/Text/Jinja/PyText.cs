using System.Buffers;
using System.Text;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>Python's view of a string: a sequence of code points, with Python's idea of white space and lines.</summary>
internal static class PyText
{
    private const string SpaceCharacters =
        "\t\n\v\f\r\u001C\u001D\u001E\u001F \u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000";

    public static readonly SearchValues<char> Spaces = SearchValues.Create(SpaceCharacters);

    private static readonly SearchValues<char> LineEnds = SearchValues.Create("\n\r\v\f\u001C\u001D\u001E\u0085\u2028\u2029");

    public static bool IsSpace(char c) => Spaces.Contains(c);

    /// <summary>The length without white space at the end.</summary>
    public static int TrimEnd(ReadOnlySpan<char> text) => text.LastIndexOfAnyExcept(Spaces) + 1;

    /// <summary>str.strip: white space, or any of the characters given.</summary>
    public static string Strip(string text, string? characters, bool start = true, bool end = true)
    {
        var runes = characters?.EnumerateRunes().ToHashSet();
        var (first, last) = (0, text.Length);
        while (start && first < last && Rune.DecodeFromUtf16(text.AsSpan(first, last - first), out var rune, out var units) == OperationStatus.Done && Strips(rune)) first += units;
        while (end && first < last && Rune.DecodeLastFromUtf16(text.AsSpan(first, last - first), out var rune, out var units) == OperationStatus.Done && Strips(rune)) last -= units;
        return first == 0 && last == text.Length ? text : text[first..last];

        bool Strips(Rune rune) => runes?.Contains(rune) ?? (rune.IsBmp && IsSpace((char)rune.Value));
    }

    /// <summary>How many code points.</summary>
    public static int Length(string text)
    {
        var count = text.Length;
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i], text[i + 1])) count--;
        }
        return count;
    }

    /// <summary>The UTF-16 position of a code point index within 0..Length.</summary>
    public static int Position(string text, int index)
    {
        var at = 0;
        for (; index > 0; index--) at += Units(text, at);
        return at;
    }

    /// <summary>The code point index of a UTF-16 position.</summary>
    public static int Index(string text, int position) => Length(text[..position]);

    public static IEnumerable<string> Characters(string text)
    {
        for (var at = 0; at < text.Length; at += Units(text, at)) yield return text.Substring(at, Units(text, at));
    }

    public static List<string> Lines(string text, bool keepEnds = false)
    {
        var lines = new List<string>();
        for (var start = 0; start < text.Length; )
        {
            var length = text.AsSpan(start).IndexOfAny(LineEnds);
            var end = length < 0 ? text.Length : start + length;
            var next = end == text.Length ? end : text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? end + 2 : end + 1;
            lines.Add(text[start..(keepEnds ? next : end)]);
            start = next;
        }
        return lines;
    }

    public static string Capitalize(string text)
    {
        if (text.Length == 0) return text;
        var first = Units(text, 0);
        return text[..first].ToUpperInvariant() + text[first..].ToLowerInvariant();
    }

    private static int Units(string text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
}
