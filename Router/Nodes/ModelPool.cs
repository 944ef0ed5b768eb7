using System.Collections.Immutable;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Router.Nodes;

/// <summary>The engines that serve one model, by role. Health is not in here: it changes faster than the table.</summary>
internal sealed record ModelPool
{
    /// <summary>The served name; other names of the model lead to the same pool.</summary>
    public required string Name { get; init; }
    public required ImmutableArray<string> Aliases { get; init; }
    public required ImmutableArray<Node> Prefill { get; init; }
    public required ImmutableArray<Node> Decode { get; init; }
    public required ImmutableArray<Node> Hybrid { get; init; }

    public ImmutableArray<Node> this[EngineRole role] => role switch
    {
        EngineRole.Prefill => Prefill,
        EngineRole.Decode => Decode,
        EngineRole.Hybrid => Hybrid,
        _ => [],
    };

    /// <summary>Whether a request could be served by engines that take work now.</summary>
    public bool Servable => Hybrid.Any(node => node.TakesWork) || (Prefill.Any(node => node.TakesWork) && Decode.Any(node => node.TakesWork));
}
