namespace NanoAspire.Engine.Text.Grammar.Patterns;

/// <summary>A regular expression's meaning as a set of texts: how it captures or which match it prefers does not matter here.</summary>
internal abstract record RegexNode
{
    public sealed record Set(CodePoints Points) : RegexNode;
    public sealed record Sequence(IReadOnlyList<RegexNode> Parts) : RegexNode;
    public sealed record Choice(IReadOnlyList<RegexNode> Options) : RegexNode;
    /// <summary>A null <paramref name="Max"/> is without limit.</summary>
    public sealed record Repeat(RegexNode Body, int Min, int? Max) : RegexNode;

    public static RegexNode Empty { get; } = new Sequence([]);
    public static RegexNode AnyText { get; } = new Repeat(new Set(CodePoints.All), 0, null);
}
