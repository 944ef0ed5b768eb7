namespace NanoAspire.Engine.Text.Grammar.Automata;

/// <summary>
/// Everything the automaton may be in after some text: a set of states with their stacks. Unique among equals within its
/// <see cref="Tables"/>; remembers where each symbol leads, and what follows from it for a vocabulary, once somebody has asked.
/// </summary>
internal sealed class Config(Tables? owner, Item[] items, bool complete)
{
    private Config?[]? _next;

    /// <summary>Nothing can follow, and what came before is not a whole text either.</summary>
    public static Config Dead { get; } = new(null, [], complete: false);

    public Tables? Owner { get; } = owner;
    /// <summary>Sorted, without repetition.</summary>
    public Item[] Items { get; } = items;
    /// <summary>The text so far is a whole one.</summary>
    public bool Complete { get; } = complete;

    /// <summary>Tokens that may come next; made once, by whichever thread needs it first.</summary>
    public Lazy<TokenMask>? Mask;
    /// <summary>For the configuration of a single rule, by part of the vocabulary: what follows without looking at the stack below it.</summary>
    public readonly LocalMask?[] Locals = new LocalMask?[GrammarVocabulary.Parts];

    /// <summary>By symbol; null where nobody has been yet. Threads may race to fill an entry, with equal values.</summary>
    public Config?[] Next(int symbols) => _next ?? Interlocked.CompareExchange(ref _next, new Config?[symbols], null) ?? _next!;
}

/// <summary>The part of a mask that does not depend on the stack.</summary>
/// <param name="Tokens">Tokens that the rule takes whole.</param>
/// <param name="Exits">Nodes of the vocabulary's tree at which the rule may end while tokens go on: the stack decides about those.</param>
internal sealed record LocalMask(TokenMask Tokens, int[] Exits);
