using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Policies;
using NanoAspire.Router.Requests;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Policies;

public sealed class RoutingPolicyTests
{
    private readonly ManualTimeProvider _time = new();

    public static TheoryData<string> AllNames => [.. RoutingPolicies.Names];

    [Theory]
    [MemberData(nameof(AllNames))]
    public void Every_policy_ranks_every_candidate_exactly_once(string name)
    {
        var policy = RoutingPolicies.Create(name, _time, new Random(1));
        for (var count = 1; count <= 7; count++)
        {
            var nodes = TestNodes.Create([.. Enumerable.Range(0, count).Select(i => $"n{i}")]);
            for (var i = 0; i < 20; i++)
            {
                var ranked = Rank(policy, TestNodes.Chat($"text {i}", session: $"s{i}"), nodes);
                Assert.Equal(nodes.Order(ById), ranked.Order(ById));
                ranked[0].Occupy(1, promptBytes: 10);
            }
        }
    }

    [Fact]
    public void Round_robin_gives_each_its_turn()
    {
        var nodes = TestNodes.Create("a", "b", "c");
        var policy = new RoundRobinPolicy();
        Assert.Equal("abcabc", string.Concat(Enumerable.Range(0, 6).Select(_ => Rank(policy, TestNodes.Chat(), nodes)[0].Id)));
        Assert.Equal("abc", string.Concat(Rank(policy, TestNodes.Chat(), nodes).Select(node => node.Id)));
    }

    [Fact]
    public void Least_load_prefers_the_idle_and_takes_turns_among_equals()
    {
        var nodes = TestNodes.Create("a", "b", "c");
        nodes[0].Occupy(2);
        var policy = new LeastLoadPolicy();
        var firsts = Enumerable.Range(0, 12).Select(_ => Rank(policy, TestNodes.Chat(), nodes)).ToList();
        Assert.All(firsts, ranked => Assert.Equal("a", ranked[2].Id));
        Assert.Equal(["b", "c"], firsts.Select(ranked => ranked[0].Id).Distinct().Order());
    }

    [Fact]
    public void Random_reaches_everybody()
    {
        var nodes = TestNodes.Create("a", "b", "c");
        var policy = new RandomPolicy(new Random(7));
        var counts = Enumerable.Range(0, 3000).CountBy(_ => Rank(policy, TestNodes.Chat(), nodes)[0].Id);
        Assert.All(counts, count => Assert.InRange(count.Value, 900, 1100));
    }

    [Fact]
    public void Power_of_two_takes_the_less_busy_of_its_pair()
    {
        var nodes = TestNodes.Create("a", "b", "c");
        nodes[0].Occupy(10);
        var policy = new PowerOfTwoPolicy(new Random(7));
        var counts = Enumerable.Range(0, 3000).CountBy(_ => Rank(policy, TestNodes.Chat(), nodes)[0].Id).ToDictionary();
        Assert.False(counts.ContainsKey("a"));   // whoever it is drawn with is less busy
        Assert.InRange(counts["b"], 1350, 1650);
    }

    [Fact]
    public void Consistent_hash_keeps_a_session_and_moves_few_when_an_engine_joins()
    {
        var policy = new ConsistentHashPolicy();
        var two = TestNodes.Create("a", "b");
        Node[] three = [.. two, TestNodes.Create("c")];
        var sessions = Enumerable.Range(0, 1000).Select(i => TestNodes.Chat(session: $"session-{i}")).ToArray();
        var before = sessions.Select(request => Rank(policy, request, two)[0]).ToArray();
        Assert.Equal(before, sessions.Select(request => Rank(policy, request, two)[0]));
        var after = sessions.Select(request => Rank(policy, request, three)[0]).ToArray();
        var moved = Enumerable.Range(0, 1000).Where(i => before[i] != after[i]).ToArray();
        Assert.InRange(moved.Length, 200, 450);
        Assert.All(moved, i => Assert.Equal("c", after[i].Id));
    }

    [Fact]
    public void Consistent_hash_passes_by_an_engine_beyond_its_bound()
    {
        var policy = new ConsistentHashPolicy();
        var nodes = TestNodes.Create("a", "b", "c");
        var request = TestNodes.Chat(session: "u");
        var home = Rank(policy, request, nodes)[0];
        home.Occupy(10);
        Assert.NotSame(home, Rank(policy, request, nodes)[0]);
        foreach (var other in nodes.Where(node => node != home)) other.Occupy(10);
        Assert.Same(home, Rank(policy, request, nodes)[0]);   // everybody is equally busy again
    }

    [Fact]
    public void Consistent_hash_without_a_session_goes_by_the_prompts_beginning()
    {
        var policy = new ConsistentHashPolicy();
        var nodes = TestNodes.Create("a", "b", "c", "d");
        var system = new string('s', 400);
        Assert.Single(Enumerable.Range(0, 20).Select(i => Rank(policy, TestNodes.Chat(system + i), nodes)[0]).Distinct());
        Assert.True(Enumerable.Range(0, 50).Select(i => Rank(policy, TestNodes.Chat($"{i} {system}"), nodes)[0]).Distinct().Count() > 1);
    }

    [Fact]
    public void Session_affinity_stays_until_idle_for_too_long()
    {
        var policy = new SessionAffinityPolicy(_time);
        var nodes = TestNodes.Create("a", "b");
        var request = TestNodes.Chat(session: "u");
        policy.Routed(request, nodes[1]);
        nodes[1].Occupy(5);
        Assert.Equal("b", Rank(policy, request, nodes)[0].Id);
        _time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal("a", Rank(policy, request, nodes)[0].Id);
    }

    [Fact]
    public void Session_affinity_follows_the_session_to_another_engine()
    {
        var policy = new SessionAffinityPolicy(_time);
        var nodes = TestNodes.Create("a", "b");
        var request = TestNodes.Chat(session: "u");
        policy.Routed(request, nodes[0]);
        policy.Routed(request, nodes[1]);   // the first failed, the request was served here
        Assert.Equal("b", Rank(policy, request, nodes)[0].Id);
        Assert.Equal("a", Rank(policy, request, nodes[..1])[0].Id);   // gone: anybody who is there
    }

    [Fact]
    public void Prefix_aware_spreads_prompts_that_share_one_word()
    {
        var policy = new PrefixAwarePolicy(_time);
        var nodes = TestNodes.Create("a", "b");
        var counts = new Dictionary<string, int> { ["a"] = 0, ["b"] = 0 };
        for (var i = 0; i < 50; i++) counts[Route(policy, TestNodes.Chat($"Please {Guid.NewGuid()} {new string((char)('a' + (i % 26)), 200)}"), nodes).Id]++;
        Assert.InRange(counts["a"], 20, 30);
    }

    [Fact]
    public void Prefix_aware_brings_a_shared_beginning_together_until_that_engine_is_too_busy()
    {
        var policy = new PrefixAwarePolicy(_time);
        var nodes = TestNodes.Create("a", "b");
        var system = new string('x', 2000);
        var homes = Enumerable.Range(0, 20).Select(i => Route(policy, TestNodes.Chat($"{system} question {i}"), nodes)).ToList();
        var home = Assert.Single(homes.Distinct());
        home.Occupy(40);
        Assert.NotSame(home, Route(policy, TestNodes.Chat($"{system} another"), nodes));
    }

    [Fact]
    public void Prefix_aware_prefers_the_longer_match_and_forgets()
    {
        var policy = new PrefixAwarePolicy(_time);
        var nodes = TestNodes.Create("a", "b");
        var (system, history) = (new string('s', 640), new string('h', 640));
        policy.Routed(TestNodes.Chat(system + "other"), nodes[0]);
        policy.Routed(TestNodes.Chat(system + history), nodes[1]);
        nodes[1].Occupy(3);
        var request = TestNodes.Chat(system + history + "next");
        Assert.Equal("b", Rank(policy, request, nodes)[0].Id);
        _time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal("a", Rank(policy, request, nodes)[0].Id);
    }

    [Fact]
    public void Min_expected_ttft_weighs_the_queue_by_speed()
    {
        var policy = new MinExpectedTtftPolicy();
        var nodes = new[] { TestNodes.Create("slow", _time), TestNodes.Create("fast", _time) };
        Measure(nodes[0], bytesPerSecond: 1_000);
        Measure(nodes[1], bytesPerSecond: 3_000);
        Assert.Equal("fast", Rank(policy, TestNodes.Chat(), nodes)[0].Id);
        nodes[1].Occupy(1, promptBytes: 2_000);
        nodes[0].Occupy(1, promptBytes: 600);
        Assert.Equal("slow", Rank(policy, TestNodes.Chat(), nodes)[0].Id);   // 0.6 s against 0.67 s
    }

    [Fact]
    public void Min_expected_ttft_takes_an_unmeasured_engine_for_an_average_one()
    {
        var policy = new MinExpectedTtftPolicy();
        var nodes = new[] { TestNodes.Create("slow", _time), TestNodes.Create("new", _time), TestNodes.Create("fast", _time) };
        Measure(nodes[0], 1_000);
        Measure(nodes[2], 9_000);
        Assert.Equal("fast,new,slow", string.Join(',', Rank(policy, TestNodes.Chat(), nodes).Select(node => node.Id)));
    }

    [Fact]
    public void Each_model_and_role_has_a_policy_of_its_own()
    {
        var options = StrategyOptions.Same("round_robin") with { Decode = "least_load", Models = new Dictionary<string, string> { ["alias2"] = "random" } };
        var policies = new RoutingPolicies(options, _time, new Random(1));
        var (one, two) = (Pool("one", "alias1"), Pool("two", "alias2"));
        Assert.IsType<RoundRobinPolicy>(policies.For(one, EngineRole.Prefill));
        Assert.IsType<LeastLoadPolicy>(policies.For(one, EngineRole.Decode));
        Assert.IsType<RandomPolicy>(policies.For(two, EngineRole.Decode));
        Assert.Same(policies.For(one, EngineRole.Prefill), policies.For(one, EngineRole.Prefill));
        Assert.NotSame(policies.For(one, EngineRole.Prefill), policies.For(one, EngineRole.Hybrid));

        static ModelPool Pool(string name, string alias) => new() { Name = name, Aliases = [name, alias], Prefill = [], Decode = [], Hybrid = [] };
    }

    /// <summary>The node got through so many bytes in one second of the test's clock.</summary>
    private void Measure(Node node, int bytesPerSecond)
    {
        var started = node.Speed.Start();
        _time.Advance(TimeSpan.FromSeconds(1));
        node.Speed.Record(bytesPerSecond, started);
    }

    private static Node[] Rank(IRoutingPolicy policy, InferenceRequest request, Node[] nodes)
    {
        var candidates = nodes.ToArray();
        policy.Rank(request, candidates);
        return candidates;
    }

    private static Node Route(IRoutingPolicy policy, InferenceRequest request, Node[] nodes)
    {
        var node = Rank(policy, request, nodes)[0];
        policy.Routed(request, node);
        return node;
    }

    private static readonly Comparer<Node> ById = Comparer<Node>.Create((a, b) => string.CompareOrdinal(a.Id, b.Id));
}
