using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Policies;

/// <summary>
/// Which engine saw which prompt prefix: a radix tree whose edges are 64-byte blocks, kept flat because a block's chained hash names
/// its whole path. A block remembers the last few engines it went to. Bounded; old blocks go first.
/// </summary>
internal sealed class PrefixIndex(TimeProvider time)
{
    private const int Capacity = 1 << 18;   // blocks: 16 MB of prompt text
    private const int OwnersPerBlock = 4;
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(2);

    private readonly RecentMap<ulong, Node[]> _owners = new(Capacity, Idle, time);

    public int Blocks => _owners.Count;

    /// <summary>The first of the candidates that holds the longest prefix, and its length in blocks; null when none holds any.</summary>
    public (int Candidate, int Blocks)? Longest(PromptText prompt, ReadOnlySpan<Node> candidates)
    {
        (int Candidate, int Blocks)? best = null;
        for (var depth = 0; depth < prompt.Chain.Count && _owners.TryGet(prompt.Chain[depth], out var owners); depth++)
        {
            var found = -1;
            for (var i = 0; i < candidates.Length && found < 0; i++)
                if (Array.IndexOf(owners, candidates[i]) >= 0) found = i;
            if (found < 0) break;
            // A candidate that also holds this deeper block replaces one that does not.
            if (best is { } so && Array.IndexOf(owners, candidates[so.Candidate]) >= 0) best = (so.Candidate, depth + 1);
            else best = (found, depth + 1);
        }
        return best;
    }

    public void Add(PromptText prompt, Node node)
    {
        // Deepest first, so that a chain's beginning is the most recently used and outlives its end.
        for (var depth = prompt.Chain.Count - 1; depth >= 0; depth--)
        {
            var owners = _owners.TryGet(prompt.Chain[depth], out var known) ? known : [];
            _owners.Set(prompt.Chain[depth], [node, .. owners.Where(owner => owner != node).Take(OwnersPerBlock - 1)]);
        }
    }
}
