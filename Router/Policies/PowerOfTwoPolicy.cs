using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Policies;

/// <summary>Two engines at random, the less busy one first: nearly as even as least load, without everybody choosing the same one.</summary>
internal sealed class PowerOfTwoPolicy(Random random) : IRoutingPolicy
{
    public const string Name = "power_of_two";

    public void Rank(InferenceRequest request, Span<Node> candidates)
    {
        random.Shuffle(candidates);
        if (candidates.Length > 1 && candidates[1].InFlight < candidates[0].InFlight)
            (candidates[0], candidates[1]) = (candidates[1], candidates[0]);
    }
}
