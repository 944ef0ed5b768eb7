using System.Text;

namespace NanoAspire.Engine.Text.Grammar.Automata;

/// <summary>Builds a grammar's automata edge by edge. Not thread-safe.</summary>
/// <param name="markers">Added tokens by their text: a marker that is one of them is a token edge, any other is its bytes.</param>
internal sealed class GrammarBuilder(IReadOnlyDictionary<string, int> markers)
{
    /// <summary>Bounds memory and compile time of one grammar: some 200 bytes a state.</summary>
    public const int MaxStates = 200_000;
    /// <summary>Deepest nesting of arrays and objects in an output; readers of JSON commonly stop at 64.</summary>
    public const int MaxNesting = 60;

    private readonly List<GrammarState> _states = [];

    public IReadOnlyList<GrammarState> States => _states;

    public GrammarState State()
    {
        if (_states.Count >= MaxStates) throw new GrammarException(null, $"the constraint needs more than {MaxStates} states");
        var state = new GrammarState(_states.Count);
        _states.Add(state);
        return state;
    }

    public GrammarRule Rule(bool nests = false)
    {
        var (start, end) = (State(), State());
        end.Final = true;
        return new(start, end, nests);
    }

    public static void Skip(GrammarState from, GrammarState to) => from.Edges.Add(new(EdgeKind.Epsilon, to));

    public static void Bytes(GrammarState from, ByteSet set, GrammarState to)
    {
        if (!set.IsEmpty) from.Edges.Add(new(EdgeKind.Bytes, to, set));
    }

    public static void Token(GrammarState from, int id, GrammarState to) => from.Edges.Add(new(EdgeKind.Token, to, Token: id));

    public static void Call(GrammarState from, GrammarRule rule, GrammarState to) => from.Edges.Add(new(EdgeKind.Call, to, Rule: rule));

    public static void Loop(GrammarState from, GrammarRule rule, int min, int max, GrammarState to) =>
        from.Edges.Add(new(EdgeKind.Loop, to, Rule: rule, Min: min, Max: max));

    /// <summary>One byte of a set; returns the state after it.</summary>
    public GrammarState One(GrammarState from, ByteSet set)
    {
        var next = State();
        Bytes(from, set, next);
        return next;
    }

    public GrammarState Call(GrammarState from, GrammarRule rule)
    {
        var next = State();
        Call(from, rule, next);
        return next;
    }

    /// <summary>The text, byte by byte; returns the state after it.</summary>
    public GrammarState Text(GrammarState from, string text) => Text(from, Encoding.UTF8.GetBytes(text));

    public GrammarState Text(GrammarState from, ReadOnlySpan<byte> text)
    {
        foreach (var value in text) from = One(from, ByteSet.Of(value));
        return from;
    }

    /// <summary>The text with the added tokens in it as tokens; returns the state after it.</summary>
    public GrammarState Marked(GrammarState from, string text)
    {
        var plain = 0;
        for (var at = 0; at < text.Length; )
        {
            var found = markers.Keys.Where(marker => string.CompareOrdinal(text, at, marker, 0, marker.Length) == 0).MaxBy(marker => marker.Length);
            if (string.IsNullOrEmpty(found))
            {
                at++;
                continue;
            }
            var after = State();
            Token(Text(from, text[plain..at]), markers[found], after);
            from = after;
            plain = at += found.Length;
        }
        return Text(from, text[plain..]);
    }

    /// <summary>The texts as one tree, so that common beginnings are one path. Ends in <paramref name="to"/>.</summary>
    public void AnyOf(GrammarState from, IEnumerable<byte[]> texts, GrammarState to)
    {
        var nodes = new Dictionary<(GrammarState, byte), GrammarState>();
        var ends = new HashSet<GrammarState>();
        foreach (var text in texts)
        {
            var at = from;
            foreach (var value in text)
            {
                if (!nodes.TryGetValue((at, value), out var next)) nodes[(at, value)] = next = One(at, ByteSet.Of(value));
                at = next;
            }
            if (ends.Add(at)) Skip(at, to);
        }
    }

    /// <summary>Works out how deep each state must nest, and takes out the edges that no finite text can follow.</summary>
    /// <returns>False when the root rule has no finite text at all.</returns>
    public bool Seal(GrammarRule root)
    {
        foreach (var state in _states.Where(state => state.Final)) state.Height = 0;
        for (var changed = true; changed; )
        {
            changed = false;
            for (var i = _states.Count - 1; i >= 0; i--)   // later states mostly come later in the text
            {
                var state = _states[i];
                foreach (var edge in state.Edges)
                {
                    var height = HeightOf(edge);
                    if (height >= state.Height) continue;
                    state.Height = height;
                    changed = true;
                }
            }
        }
        foreach (var state in _states) state.Edges.RemoveAll(edge => HeightOf(edge) == GrammarState.Endless && !(edge.Kind == EdgeKind.Loop && edge.Min == 0 && edge.Target.Height != GrammarState.Endless));
        return root.Start.Height != GrammarState.Endless;
    }

    private static int HeightOf(Edge edge) => edge.Kind switch
    {
        EdgeKind.Call => Max(Inside(edge.Rule!), edge.Target.Height),
        EdgeKind.Loop when edge.Min > 0 => Max(Inside(edge.Rule!), edge.Target.Height),
        _ => edge.Target.Height,
    };

    private static int Inside(GrammarRule rule) => rule.Start.Height == GrammarState.Endless ? GrammarState.Endless : rule.Start.Height + (rule.Nests ? 1 : 0);

    private static int Max(int x, int y) => Math.Max(x, y);
}
