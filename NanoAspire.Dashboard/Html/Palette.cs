using System.Collections.Concurrent;

namespace NanoAspire.Dashboard.Html;

/// <summary>
/// A colour class for each resource name, kept for the dashboard's life. The name's hash chooses, the next free colour is taken when
/// that one is in use, so the few resources of an application differ.
/// </summary>
internal sealed class Palette
{
    public const int Colours = 12;
    private const int MaxNames = 1024;

    private readonly ConcurrentDictionary<string, int> _colours = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _lock = new();

    /// <summary>The CSS class, <c>c0</c> to <c>c11</c>.</summary>
    public string ClassOf(string name)
    {
        if (_colours.TryGetValue(name, out var colour)) return $"c{colour}";
        lock (_lock)
        {
            if (!_colours.TryGetValue(name, out colour))
            {
                colour = (int)(Hash(name) % Colours);
                var taken = _colours.Values.ToHashSet();
                for (var tries = 0; tries < Colours && taken.Contains(colour); tries++) colour = (colour + 5) % Colours;   // 5 and 12 share no factor
                if (_colours.Count < MaxNames) _colours[name] = colour;
            }
        }
        return $"c{colour}";
    }

    /// <summary>FNV-1a: string.GetHashCode differs from run to run.</summary>
    private static uint Hash(string name)
    {
        var hash = 2166136261u;
        foreach (var c in name.ToLowerInvariant()) hash = (hash ^ c) * 16777619u;
        return hash;
    }
}
