using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Engine.Text.Grammar.Patterns;

/// <summary>An expression's automaton over characters: node 0 is the beginning, an edge without a set consumes nothing.</summary>
internal sealed class CharacterGraph
{
    public CharacterGraph(RegexNode node)
    {
        var start = New();
        End = New();
        Add(node, start, End);
    }

    public int End { get; }
    public List<List<(CodePoints? Set, int Target)>> Edges { get; } = [];

    private int New()
    {
        if (Edges.Count >= GrammarBuilder.MaxStates) throw new GrammarException(null, $"the constraint needs more than {GrammarBuilder.MaxStates} states");
        Edges.Add([]);
        return Edges.Count - 1;
    }

    private void Add(RegexNode node, int from, int to)
    {
        switch (node)
        {
            case RegexNode.Set set:
                Edges[from].Add((set.Points, to));
                break;
            case RegexNode.Sequence sequence:
                foreach (var part in sequence.Parts)
                {
                    var next = New();
                    Add(part, from, next);
                    from = next;
                }
                Edges[from].Add((null, to));
                break;
            case RegexNode.Choice choice:
                foreach (var option in choice.Options) Add(option, from, to);
                break;
            case RegexNode.Repeat repeat:
                AddRepeat(repeat, from, to);
                break;
        }
    }

    private void AddRepeat(RegexNode.Repeat repeat, int from, int to)
    {
        for (var i = 0; i < (repeat.Max ?? repeat.Min); i++)
        {
            if (i >= repeat.Min) Edges[from].Add((null, to));
            var next = New();
            Add(repeat.Body, from, next);
            from = next;
        }
        if (repeat.Max is null)
        {
            var loop = New();
            Edges[from].Add((null, loop));
            Add(repeat.Body, loop, loop);
            from = loop;
        }
        Edges[from].Add((null, to));
    }
}
