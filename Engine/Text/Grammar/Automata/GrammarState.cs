namespace NanoAspire.Engine.Text.Grammar.Automata;

internal enum EdgeKind
{
    Epsilon,
    /// <summary>Consumes one byte of a set.</summary>
    Bytes,
    /// <summary>Consumes one added token as a whole: its text alone does not count.</summary>
    Token,
    /// <summary>Runs another rule, then goes on at the target.</summary>
    Call,
    /// <summary>Runs a rule between <see cref="Edge.Min"/> and <see cref="Edge.Max"/> times, counted on the stack instead of in states.</summary>
    Loop,
}

/// <summary>A transition. Which members count depends on <paramref name="Kind"/>.</summary>
internal sealed record Edge(EdgeKind Kind, GrammarState Target, ByteSet Bytes = default, int Token = -1, GrammarRule? Rule = null, int Min = 0, int Max = int.MaxValue);

/// <summary>A state of one rule's automaton, which may have several ways on for the same byte.</summary>
internal sealed class GrammarState(int id)
{
    /// <summary>No finite text leads from here to the rule's end.</summary>
    public const int Endless = int.MaxValue;

    /// <summary>Unique in its grammar.</summary>
    public int Id { get; } = id;
    public List<Edge> Edges { get; } = [];
    /// <summary>The rule may end here.</summary>
    public bool Final { get; set; }
    /// <summary>How many more levels of nesting the shortest way to the rule's end needs.</summary>
    public int Height { get; set; } = Endless;
}

/// <summary>One rule: a fragment with one way in and one way out, called from others.</summary>
/// <param name="start">Where it begins.</param>
/// <param name="end">Its final state.</param>
/// <param name="nests">Each run of it is one level of nesting (a JSON array or object).</param>
internal sealed class GrammarRule(GrammarState start, GrammarState end, bool nests)
{
    public GrammarState Start { get; } = start;
    public GrammarState End { get; } = end;
    public bool Nests { get; } = nests;
}
