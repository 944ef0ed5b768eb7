using NanoAspire.Router.Nodes;

namespace NanoAspire.Router.Policies;

/// <summary>Reorderings that policies share.</summary>
internal static class SpanExtensions
{
    /// <summary>The node at <paramref name="index"/> becomes the first; those before it go to the end.</summary>
    public static void RotateLeft(this Span<Node> nodes, int index)
    {
        nodes[..index].Reverse();
        nodes[index..].Reverse();
        nodes.Reverse();
    }

    /// <summary>The node at <paramref name="index"/> moves to the front, the others keep their order.</summary>
    public static void BringForward(this Span<Node> nodes, int index)
    {
        var chosen = nodes[index];
        nodes[..index].CopyTo(nodes[1..]);
        nodes[0] = chosen;
    }

    /// <summary>Orders by cost, lowest first; equal costs keep their order.</summary>
    public static void OrderBy(this Span<Node> nodes, Func<Node, double> cost)
    {
        // Costs are read once: they change while this runs. Insertion sort is stable, and there are few engines.
        Span<double> costs = nodes.Length <= 128 ? stackalloc double[nodes.Length] : new double[nodes.Length];
        for (var i = 0; i < nodes.Length; i++)
        {
            var (node, value) = (nodes[i], cost(nodes[i]));
            var at = i;
            for (; at > 0 && costs[at - 1] > value; at--) (nodes[at], costs[at]) = (nodes[at - 1], costs[at - 1]);
            (nodes[at], costs[at]) = (node, value);
        }
    }
}
