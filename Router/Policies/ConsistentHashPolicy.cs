using System.Globalization;
using System.IO.Hashing;
using System.Text;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Policies;

/// <summary>
/// A ring of 160 points an engine; a session goes to the engine of the next point, and on along the ring past engines that are
/// busier than 1.25 times the mean. An engine that comes or goes moves only its own share of the sessions.
/// Without a session key the prompt's beginning is the key.
/// </summary>
internal sealed class ConsistentHashPolicy : IRoutingPolicy
{
    public const string Name = "consistent_hash";

    private const int PointsPerNode = 160;
    private const double Bound = 1.25;
    /// <summary>Prompt blocks that make a key: 256 bytes, about the first system prompt line.</summary>
    private const int KeyBlocks = 4;

    private volatile Ring? _ring;

    public void Rank(InferenceRequest request, Span<Node> candidates)
    {
        var ring = RingOf(candidates);
        Span<Node> ordered = new Node[candidates.Length];
        var (count, start) = (0, ring.At(KeyOf(request)));
        for (var i = 0; i < ring.Points.Length && count < candidates.Length; i++)
        {
            var node = ring.Points[(start + i) % ring.Points.Length].Node;
            if (!ordered[..count].Contains(node)) ordered[count++] = node;
        }
        ordered.CopyTo(candidates);

        var total = 1;   // the request to place counts
        foreach (var node in candidates) total += node.InFlight;
        var limit = Math.Ceiling(Bound * total / candidates.Length);
        // Stable: engines within the bound keep the ring's order, the others follow in theirs.
        candidates.OrderBy(node => node.InFlight + 1 > limit ? 1 : 0);
    }

    private static ulong KeyOf(InferenceRequest request)
    {
        if (request.SessionKey is { } key) return XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(key));
        var chain = request.Prompt.Chain;
        return chain.Count == 0 ? 0 : chain[Math.Min(KeyBlocks, chain.Count) - 1];
    }

    private Ring RingOf(ReadOnlySpan<Node> candidates)
    {
        if (_ring is { } ring && candidates.SequenceEqual(ring.Nodes)) return ring;
        return _ring = new Ring(candidates.ToArray());
    }

    private sealed class Ring
    {
        public Ring(Node[] nodes)
        {
            Nodes = nodes;
            Points = nodes.SelectMany(static node => Enumerable.Range(0, PointsPerNode).Select(i =>
                    (XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(node.Url + "#" + i.ToString(CultureInfo.InvariantCulture))), node)))
                .OrderBy(point => point.Item1).ToArray();
        }

        public Node[] Nodes { get; }
        public (ulong Hash, Node Node)[] Points { get; }

        /// <summary>Index of the first point after the hash, around the end.</summary>
        public int At(ulong hash)
        {
            var (low, high) = (0, Points.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (Points[middle].Hash > hash) high = middle;
                else low = middle + 1;
            }
            return low % Points.Length;
        }
    }
}
