using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Engine.Text.Grammar;

/// <summary>Where one sequence stands in its grammar: a function of the tokens accepted so far. For one thread at a time.</summary>
internal sealed class GrammarMatcher(CompiledGrammar grammar)
{
    private Config _config = grammar.Automaton.Start();

    /// <summary>The output may end here.</summary>
    public bool IsComplete => _config.Complete;

    /// <summary>Tokens other than the end that may come next; works them out now unless they are known or being worked out.</summary>
    public TokenMask Mask => grammar.MaskOf(_config).Value;

    /// <summary>Starts to work out the mask on another thread, so that it is there when the model's logits are.</summary>
    public void Prepare()
    {
        var mask = grammar.MaskOf(_config);
        if (!mask.IsValueCreated) ThreadPool.UnsafeQueueUserWorkItem(static mask => _ = mask.Value, mask, preferLocal: false);
    }

    /// <summary>Moves past a token of the output. False, and nothing changes, when the grammar does not allow it here.</summary>
    public bool TryAccept(int token)
    {
        var automaton = grammar.Automaton;
        var next = automaton.NextToken(_config, token);
        if (next == Config.Dead && grammar.Vocabulary.Text(token) is { Length: > 0 } text)
        {
            next = _config;
            foreach (var value in text) next = automaton.Next(next, value);
        }
        if (next == Config.Dead) return false;
        _config = automaton.Current(next);
        return true;
    }
}
