using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Policies;

/// <summary>The engine with the fewest running requests; equally busy ones in turn.</summary>
internal sealed class LeastLoadPolicy : IRoutingPolicy
{
    public const string Name = "least_load";

    private readonly RoundRobinPolicy _ties = new();

    public void Rank(InferenceRequest request, Span<Node> candidates)
    {
        _ties.Rank(request, candidates);
        candidates.OrderBy(static node => node.InFlight);
    }
}
