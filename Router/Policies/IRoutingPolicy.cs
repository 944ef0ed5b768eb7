using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Policies;

/// <summary>
/// Puts the engines that could serve a request in the order in which to try them. One instance serves one model and role, from many
/// requests at a time. Health, breakers and roles are settled before; a policy only prefers.
/// </summary>
internal interface IRoutingPolicy
{
    /// <param name="request">The request to place.</param>
    /// <param name="candidates">At least one, ordered by URL; reordered in place, best first.</param>
    void Rank(InferenceRequest request, Span<Node> candidates);

    /// <summary>The request went to this engine.</summary>
    void Routed(InferenceRequest request, Node node)
    {
    }
}
