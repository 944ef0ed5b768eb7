namespace NanoAspire.Answers;

/// <summary>Looks for the first of several markers in a text that is still being written.</summary>
internal static class Markers
{
    /// <summary>Place of the first marker and which one; -1 when there is none. Of two at the same place the longer one.</summary>
    public static (int At, string Marker) Find(ReadOnlySpan<char> text, IReadOnlyList<string> markers)
    {
        var (at, found) = (-1, "");
        foreach (var marker in markers)
        {
            var i = text.IndexOf(marker, StringComparison.Ordinal);
            if (i < 0 || (at >= 0 && (i > at || (i == at && marker.Length <= found.Length)))) continue;
            (at, found) = (i, marker);
        }
        return (at, found);
    }

    /// <summary>Length of the text's end that may be the beginning of a marker.</summary>
    public static int Held(ReadOnlySpan<char> text, IReadOnlyList<string> markers)
    {
        var held = 0;
        foreach (var marker in markers)
        {
            for (var length = Math.Min(marker.Length - 1, text.Length); length > held; length--)
            {
                if (!text.EndsWith(marker.AsSpan(0, length), StringComparison.Ordinal)) continue;
                held = length;
                break;
            }
        }
        return held;
    }

    /// <summary>Whether the text begins with the marker; null when it ends too early to tell.</summary>
    public static bool? Starts(ReadOnlySpan<char> text, string marker, bool final)
    {
        if (text.StartsWith(marker, StringComparison.Ordinal)) return true;
        return !final && text.Length < marker.Length && marker.AsSpan().StartsWith(text, StringComparison.Ordinal) ? null : false;
    }
}
