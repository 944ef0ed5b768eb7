namespace NanoAspire.Engine.Text.Grammar.Automata;

/// <summary>Follows everything that consumes nothing (skips, calls, ends of rules) from a set of states. Not thread-safe; one use.</summary>
internal sealed class Closure(Tables tables)
{
    /// <summary>More states at once than this is no constraint that anybody meant; it is treated as a dead end.</summary>
    private const int MaxItems = 50_000;

    private readonly HashSet<Item> _seen = [];
    private readonly Stack<Item> _open = new();
    private readonly List<Item> _ready = [];
    private bool _complete;

    public void Add(GrammarState state, Frame frame)
    {
        if (state.Height == GrammarState.Endless || frame.Nest + state.Height > GrammarBuilder.MaxNesting) return;
        var item = new Item(state, frame);
        if (_seen.Add(item)) _open.Push(item);
    }

    /// <summary>What comes after the rule on top of <paramref name="frame"/> has ended.</summary>
    public void Return(Frame frame)
    {
        if (frame.Parent is not { } parent) _complete = true;
        else if (frame.Loop is { } loop) Repeat(loop, frame.Target!, frame.Need, frame.Room, parent);
        else Add(frame.Target!, parent);
    }

    public Config Finish()
    {
        while (_open.TryPop(out var item))
        {
            if (_seen.Count > MaxItems) return Config.Dead;
            Expand(item.State, item.Frame);
        }
        _ready.Sort();
        return tables.Config([.. _ready], _complete);
    }

    private void Expand(GrammarState state, Frame frame)
    {
        if (state.Final) Return(frame);
        var consumes = false;
        foreach (var edge in state.Edges)
        {
            switch (edge.Kind)
            {
                case EdgeKind.Epsilon:
                    Add(edge.Target, frame);
                    break;
                case EdgeKind.Call:
                    Call(edge.Rule!, edge.Target, frame);
                    break;
                case EdgeKind.Loop:
                    Repeat(edge.Rule!, edge.Target, edge.Min, edge.Max, frame);
                    break;
                default:
                    consumes = true;
                    break;
            }
        }
        if (consumes) _ready.Add(new(state, frame));
    }

    private void Call(GrammarRule rule, GrammarState target, Frame frame)
    {
        // A call that ends its rule needs no entry of its own; without this a schema that refers to itself at once would push for ever.
        var last = target is { Final: true, Edges.Count: 0 } && !rule.Nests && frame.Loop is null;
        Add(rule.Start, last ? frame : tables.Frame(frame, target, null, 0, 0, frame.Nest + (rule.Nests ? 1 : 0)));
    }

    private void Repeat(GrammarRule rule, GrammarState target, int need, int room, Frame frame)
    {
        if (need == 0) Add(target, frame);
        if (room == 0) return;
        var rest = room == int.MaxValue ? room : room - 1;
        Add(rule.Start, tables.Frame(frame, target, rule, Math.Max(0, need - 1), rest, frame.Nest + (rule.Nests ? 1 : 0)));
    }
}
