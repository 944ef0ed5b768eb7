using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Policies;

namespace NanoAspire.Router.Options;

/// <summary>Which policy orders the engines of a role; a model may have its own.</summary>
internal sealed record StrategyOptions
{
    public string Prefill { get; init; } = PrefixAwarePolicy.Name;
    public string Decode { get; init; } = LeastLoadPolicy.Name;
    public string Hybrid { get; init; } = PrefixAwarePolicy.Name;
    /// <summary>Model name (any of its aliases) to the policy for all its roles.</summary>
    public IReadOnlyDictionary<string, string> Models { get; init; } = new Dictionary<string, string>();

    public static StrategyOptions Same(string name) => new() { Prefill = name, Decode = name, Hybrid = name };

    public string For(IEnumerable<string> names, EngineRole role)
    {
        foreach (var name in names)
            if (Models.TryGetValue(name, out var strategy)) return strategy;
        return role switch
        {
            EngineRole.Prefill => Prefill,
            EngineRole.Decode => Decode,
            _ => Hybrid,
        };
    }

    public void Validate()
    {
        foreach (var name in Models.Values.Concat([Prefill, Decode, Hybrid]))
            RouterOptions.Require(RoutingPolicies.Exists(name), $"unknown strategy '{name}'; known: {string.Join(", ", RoutingPolicies.Names)}");
    }
}
