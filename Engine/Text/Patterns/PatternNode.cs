namespace NanoAspire.Engine.Text.Patterns;

internal enum Greed { Greedy, Lazy, Possessive }

internal enum Anchor { TextStart, TextEnd, TextEndOrLastNewline, LineStart, LineEnd, WordBoundary, NotWordBoundary }

/// <summary>A parsed regular expression.</summary>
internal abstract record PatternNode
{
    internal sealed record One(RuneSet Set) : PatternNode;
    internal sealed record Sequence(IReadOnlyList<PatternNode> Parts) : PatternNode;
    internal sealed record Choice(IReadOnlyList<PatternNode> Options) : PatternNode;
    /// <summary>A null <paramref name="Max"/> is unbounded.</summary>
    internal sealed record Repeat(PatternNode Body, int Min, int? Max, Greed Greed) : PatternNode;
    internal sealed record Look(PatternNode Body, bool Ahead, bool Negative) : PatternNode;
    internal sealed record Atomic(PatternNode Body) : PatternNode;
    internal sealed record Position(Anchor Anchor) : PatternNode;

    /// <summary>The fewest and the most code points this can match; null: unbounded. Saturates far beyond what compiles.</summary>
    public (int Min, int? Max) Length => this switch
    {
        One => (1, 1),
        Sequence s => s.Parts.Select(part => part.Length).Aggregate((Min: 0, Max: (int?)0), (sum, part) => (Clamp((long)sum.Min + part.Min), Clamp((long?)sum.Max + part.Max))),
        Choice c => (c.Options.Min(o => o.Length.Min), c.Options.Any(o => o.Length.Max is null) ? null : c.Options.Max(o => o.Length.Max)),
        Repeat r => (Clamp((long)r.Body.Length.Min * r.Min), Clamp((long?)r.Body.Length.Max * r.Max)),
        Atomic a => a.Body.Length,
        _ => (0, 0),
    };

    private static int Clamp(long value) => (int)Math.Min(value, 1_000_000_000);
    private static int? Clamp(long? value) => value is { } v ? Clamp(v) : null;
}
