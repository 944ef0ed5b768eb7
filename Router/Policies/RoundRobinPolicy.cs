using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Policies;

/// <summary>Each engine in turn.</summary>
internal sealed class RoundRobinPolicy : IRoutingPolicy
{
    public const string Name = "round_robin";

    private uint _next = uint.MaxValue;

    public void Rank(InferenceRequest request, Span<Node> candidates) =>
        candidates.RotateLeft((int)(Interlocked.Increment(ref _next) % (uint)candidates.Length));
}
