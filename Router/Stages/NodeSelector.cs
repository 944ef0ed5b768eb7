using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Policies;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Stages;

/// <summary>Who could serve a stage now, in the order that the model's policy prefers.</summary>
internal sealed class NodeSelector(RoutingPolicies policies)
{
    /// <summary>Engines of the role that take work and whose breaker allows it, best first.</summary>
    public Node[] Rank(ModelPool pool, EngineRole role, InferenceRequest request, Func<Node, bool> eligible)
    {
        var candidates = pool[role].Where(node => node.TakesWork && node.Breaker.Allows && eligible(node)).ToArray();
        if (candidates.Length > 0) policies.For(pool, role).Rank(request, candidates);
        return candidates;
    }

    /// <summary>Starts a stage on a ranked engine; null when another request took its breaker's trial meanwhile.</summary>
    public NodeVisit? Enter(ModelPool pool, Node node, InferenceRequest request, int promptBytes)
    {
        if (node.TryEnter(promptBytes) is not { } visit) return null;
        policies.For(pool, node.Role).Routed(request, node);
        Telemetry.Decisions.Add(1, new("engine", node.Id), new("role", node.Role.ToString().ToLowerInvariant()));
        return visit;
    }

    /// <summary>Engines that say how their KV is laid out only understand their like.</summary>
    public static bool CanPair(Node prefill, Node decode) =>
        prefill.Engine.KvDigest is not { } a || decode.Engine.KvDigest is not { } b || a == b;
}
