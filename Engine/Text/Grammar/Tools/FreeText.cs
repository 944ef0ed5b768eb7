using NanoAspire.Engine.Text.Grammar.Automata;
using NanoAspire.Engine.Text.Grammar.Patterns;

namespace NanoAspire.Engine.Text.Grammar.Tools;

/// <summary>Any text in which some markers do not occur (Aho and Corasick's automaton over characters, with the markers' ends left out).</summary>
internal static class FreeText
{
    /// <summary>Writes such a text; it may end at <paramref name="to"/> after any character.</summary>
    /// <param name="builder">Where states are made.</param>
    /// <param name="forbidden">Markers, none of them empty.</param>
    /// <param name="tokens">Added tokens that may stand in the text.</param>
    /// <param name="from">Where the text begins.</param>
    /// <param name="to">Where it may end.</param>
    public static void Emit(GrammarBuilder builder, IEnumerable<string> forbidden, IEnumerable<int> tokens, GrammarState from, GrammarState to)
    {
        var nodes = Build(forbidden);
        var states = nodes.ConvertAll(node => node.IsMarker ? null : builder.State());
        GrammarBuilder.Skip(from, states[0]!);
        foreach (var token in tokens) GrammarBuilder.Token(states[0]!, token, states[0]!);
        var known = CodePoints.Of(nodes.SelectMany(node => node.Next.Keys).Select(point => (point, point)));
        // One character that no marker has leads back to the beginning from everywhere: one copy of it is enough.
        var other = builder.Rule();
        known.Complement().Emit(builder, other.Start, other.End);
        for (var i = 0; i < nodes.Count; i++)
        {
            if (states[i] is not { } state) continue;
            GrammarBuilder.Skip(state, to);
            if (i == 0) known.Complement().Emit(builder, state, state);
            else
            {
                GrammarBuilder.Call(state, other, states[0]!);
                foreach (var token in tokens) GrammarBuilder.Token(state, token, states[0]!);
            }
            foreach (var point in known.Ranges.SelectMany(range => Enumerable.Range(range.First, range.Last - range.First + 1)))
            {
                if (states[Follow(nodes, i, point)] is { } next) CodePoints.One(point).Emit(builder, state, next);
            }
        }
    }

    private static int Follow(List<Node> nodes, int node, int point)
    {
        while (true)
        {
            if (nodes[node].Next.TryGetValue(point, out var next)) return next;
            if (node == 0) return 0;
            node = nodes[node].Fallback;
        }
    }

    private static List<Node> Build(IEnumerable<string> markers)
    {
        var nodes = new List<Node> { new() };
        foreach (var marker in markers)
        {
            var at = 0;
            foreach (var rune in marker.EnumerateRunes())
            {
                if (!nodes[at].Next.TryGetValue(rune.Value, out var next))
                {
                    nodes[at].Next[rune.Value] = next = nodes.Count;
                    nodes.Add(new());
                }
                at = next;
            }
            nodes[at].IsMarker = true;
        }
        var open = new Queue<int>(nodes[0].Next.Values);
        while (open.TryDequeue(out var node))
        {
            foreach (var (point, child) in nodes[node].Next)
            {
                nodes[child].Fallback = Follow(nodes, nodes[node].Fallback, point);
                nodes[child].IsMarker |= nodes[nodes[child].Fallback].IsMarker;
                open.Enqueue(child);
            }
        }
        return nodes;
    }

    private sealed class Node
    {
        public Dictionary<int, int> Next { get; } = [];
        public int Fallback { get; set; }
        public bool IsMarker { get; set; }
    }
}
