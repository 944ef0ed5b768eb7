using System.Collections.Concurrent;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;

namespace NanoAspire.Router.Policies;

/// <summary>The strategies by name, and one policy for each model and role: no cursor or map is shared between them.</summary>
internal sealed class RoutingPolicies(StrategyOptions options, TimeProvider time, Random random)
{
    private static readonly Dictionary<string, Func<TimeProvider, Random, IRoutingPolicy>> Known = new(StringComparer.Ordinal)
    {
        [RoundRobinPolicy.Name] = static (_, _) => new RoundRobinPolicy(),
        [RandomPolicy.Name] = static (_, random) => new RandomPolicy(random),
        [LeastLoadPolicy.Name] = static (_, _) => new LeastLoadPolicy(),
        [PowerOfTwoPolicy.Name] = static (_, random) => new PowerOfTwoPolicy(random),
        [ConsistentHashPolicy.Name] = static (_, _) => new ConsistentHashPolicy(),
        [SessionAffinityPolicy.Name] = static (time, _) => new SessionAffinityPolicy(time),
        [PrefixAwarePolicy.Name] = static (time, _) => new PrefixAwarePolicy(time),
        [MinExpectedTtftPolicy.Name] = static (_, _) => new MinExpectedTtftPolicy(),
    };

    private static readonly Dictionary<string, string> Synonyms = new(StringComparer.Ordinal)
    {
        ["least_request"] = LeastLoadPolicy.Name,
        ["cache_aware"] = PrefixAwarePolicy.Name,
        ["prefix_cache"] = PrefixAwarePolicy.Name,
        ["session_sticky"] = SessionAffinityPolicy.Name,
        ["min_expected_latency"] = MinExpectedTtftPolicy.Name,
    };

    private readonly ConcurrentDictionary<(string Model, EngineRole Role), IRoutingPolicy> _policies = new();

    public static IEnumerable<string> Names => Known.Keys;

    public static bool Exists(string name) => Known.ContainsKey(Canonical(name));

    /// <exception cref="KeyNotFoundException">No such strategy; <see cref="Exists"/> says so beforehand.</exception>
    public static IRoutingPolicy Create(string name, TimeProvider time, Random random) => Known[Canonical(name)](time, random);

    /// <summary>The policy for a model in a role. Names come from the node table, so there are as many as there are models.</summary>
    public IRoutingPolicy For(ModelPool pool, EngineRole role) =>
        _policies.GetOrAdd((pool.Name, role), key => Create(options.For(pool.Aliases.Prepend(pool.Name), key.Role), time, random));

    /// <summary>The spelling that metrics and options share.</summary>
    public static string Canonical(string name)
    {
        var plain = name.Replace('-', '_');
        return Synonyms.GetValueOrDefault(plain, plain);
    }
}
