using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Policies;

/// <summary>A session stays with the engine that had its last request, for ten minutes after it; new sessions go where there is least to do.</summary>
internal sealed class SessionAffinityPolicy(TimeProvider time) : IRoutingPolicy
{
    public const string Name = "session_affinity";

    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10);
    private const int Capacity = 1 << 16;

    private readonly LeastLoadPolicy _fresh = new();
    private readonly RecentMap<string, Node> _homes = new(Capacity, Idle, time);

    public void Rank(InferenceRequest request, Span<Node> candidates)
    {
        _fresh.Rank(request, candidates);
        if (request.SessionKey is { } key && _homes.TryGet(key, out var home) && candidates.IndexOf(home) is >= 0 and var index)
            candidates.BringForward(index);
    }

    public void Routed(InferenceRequest request, Node node)
    {
        if (request.SessionKey is { } key) _homes.Set(key, node);
    }
}
