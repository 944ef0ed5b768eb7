using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Engine.Text.Grammar.Patterns;

/// <summary>Regular expressions as states, with one character of the text written by <paramref name="writeSet"/> (plain, or escaped as in JSON).</summary>
internal sealed class RegexRules(GrammarBuilder builder, Action<GrammarState, CodePoints, GrammarState> writeSet)
{
    public void Emit(RegexNode node, GrammarState from, GrammarState to)
    {
        switch (node)
        {
            case RegexNode.Set set:
                writeSet(from, set.Points, to);
                break;
            case RegexNode.Sequence sequence:
                foreach (var part in sequence.Parts)
                {
                    var next = builder.State();
                    Emit(part, from, next);
                    from = next;
                }
                GrammarBuilder.Skip(from, to);
                break;
            case RegexNode.Choice choice:
                foreach (var option in choice.Options) Emit(option, from, to);
                break;
            case RegexNode.Repeat repeat:
                EmitRepeat(repeat, from, to);
                break;
        }
    }

    /// <summary>Texts of the node that have between <paramref name="min"/> and <paramref name="max"/> characters: the states are copied for each length.</summary>
    public void EmitBounded(RegexNode node, int min, int? max, GrammarState from, GrammarState to)
    {
        // The expression's own automaton, over sets of characters instead of bytes.
        var plain = new CharacterGraph(node);
        var last = max ?? min;                             // without a maximum, lengths from min on are alike
        var layers = new Dictionary<(int Node, int Length), GrammarState>();
        var open = new Stack<(int Node, int Length)>();
        GrammarBuilder.Skip(from, Get(0, 0));
        while (open.TryPop(out var at))
        {
            var state = layers[at];
            if (at.Node == plain.End && at.Length >= min) GrammarBuilder.Skip(state, to);
            foreach (var (set, target) in plain.Edges[at.Node])
            {
                if (set is null) GrammarBuilder.Skip(state, Get(target, at.Length));
                else if (at.Length < last || max is null) writeSet(state, set, Get(target, Math.Min(at.Length + 1, last)));
            }
        }

        GrammarState Get(int n, int length)
        {
            if (layers.TryGetValue((n, length), out var known)) return known;
            open.Push((n, length));
            return layers[(n, length)] = builder.State();
        }
    }

    private void EmitRepeat(RegexNode.Repeat repeat, GrammarState from, GrammarState to)
    {
        for (var i = 0; i < repeat.Min; i++)
        {
            var next = builder.State();
            Emit(repeat.Body, from, next);
            from = next;
        }
        if (repeat.Max is not { } max)
        {
            var loop = builder.State();
            GrammarBuilder.Skip(from, loop);
            Emit(repeat.Body, loop, loop);
            GrammarBuilder.Skip(loop, to);
            return;
        }
        for (var i = repeat.Min; i < max; i++)
        {
            GrammarBuilder.Skip(from, to);
            var next = builder.State();
            Emit(repeat.Body, from, next);
            from = next;
        }
        GrammarBuilder.Skip(from, to);
    }
}
