using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Engine.Text.Grammar;

/// <summary>
/// A constraint on a sequence's output, compiled for one vocabulary. Immutable to its users and safe to share: what it works out
/// while it is used (configurations, masks) is kept for every sequence under it, bounded by <see cref="Bytes"/> staying below some 16 MiB.
/// </summary>
public sealed class CompiledGrammar
{
    private readonly MaskBuilder _masks;

    internal CompiledGrammar(Automaton automaton, GrammarVocabulary vocabulary)
    {
        (Automaton, Vocabulary) = (automaton, vocabulary);
        _masks = new(automaton, vocabulary);
    }

    /// <summary>Memory that the grammar takes now, estimated.</summary>
    public long Bytes => Automaton.Bytes;
    internal Automaton Automaton { get; }
    internal GrammarVocabulary Vocabulary { get; }

    /// <summary>The mask's owner: whoever asks first works it out, others wait for that.</summary>
    internal Lazy<TokenMask> MaskOf(Config config)
    {
        if (config.Mask is { } known) return known;
        var fresh = new Lazy<TokenMask>(() => _masks.Build(config));
        return Interlocked.CompareExchange(ref config.Mask, fresh, null) ?? fresh;
    }
}
