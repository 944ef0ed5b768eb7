using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Policies;

/// <summary>Any order is as likely as any other.</summary>
internal sealed class RandomPolicy(Random random) : IRoutingPolicy
{
    public const string Name = "random";

    public void Rank(InferenceRequest request, Span<Node> candidates) => random.Shuffle(candidates);
}
