namespace NanoAspire.Engine.Text;

/// <summary>
/// Ends a streamed text at the first stop string: the one that is complete first, of several that end together the longest.
/// How the text is cut into pieces makes no difference. For one sequence, one thread at a time.
/// </summary>
public sealed class StopMatcher
{
    private readonly string[] _stops;
    private readonly int[][] _borders;
    private readonly int[] _matched;
    private string _held = "";
    private string? _stop;

    /// <exception cref="ArgumentException">A stop string is empty.</exception>
    public StopMatcher(IReadOnlyList<string> stops)
    {
        ArgumentNullException.ThrowIfNull(stops);
        _stops = [.. stops];
        if (_stops.Any(string.IsNullOrEmpty)) throw new ArgumentException("A stop string is empty.", nameof(stops));
        _borders = Array.ConvertAll(_stops, Borders);
        _matched = new int[_stops.Length];
    }

    /// <summary>Takes more text. Once stopped, further text is dropped.</summary>
    public StopMatch Append(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (_stop is not null) return new("", _stop);
        if (_stops.Length == 0 || text.Length == 0) return new(text, null);

        var all = _held + text;
        for (var i = _held.Length; i < all.Length; i++)
        {
            if (Advance(all[i]) is not { } stop) continue;
            _stop = stop;
            _held = "";
            return new(all[..(i + 1 - stop.Length)], stop);
        }
        var hold = _matched.Max();
        _held = all[^hold..];
        return new(all[..^hold], null);
    }

    /// <summary>The end of the text: what was held back as the possible start of a stop string. Empty when stopped.</summary>
    public string Flush()
    {
        var held = _held;
        _held = "";
        Array.Clear(_matched);
        return held;
    }

    /// <summary>Knuth–Morris–Pratt, one state a stop string: how much of it the text now ends with.</summary>
    private string? Advance(char c)
    {
        string? complete = null;
        for (var s = 0; s < _stops.Length; s++)
        {
            var stop = _stops[s];
            ref var matched = ref _matched[s];
            while (matched > 0 && stop[matched] != c) matched = _borders[s][matched - 1];
            if (stop[matched] == c) matched++;
            if (matched == stop.Length && stop.Length > (complete?.Length ?? 0)) complete = stop;
        }
        return complete;
    }

    /// <summary>For each prefix, the length of the longest proper prefix that is also its suffix.</summary>
    private static int[] Borders(string stop)
    {
        var borders = new int[stop.Length];
        for (int i = 1, length = 0; i < stop.Length; i++)
        {
            while (length > 0 && stop[i] != stop[length]) length = borders[length - 1];
            if (stop[i] == stop[length]) length++;
            borders[i] = length;
        }
        return borders;
    }
}
