using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Nodes;

public sealed class NodeTests
{
    private static readonly EngineDescriptor A = new() { Id = "a", Url = "http://a", Role = EngineRole.Hybrid, Models = ["m1"], Incarnation = "1" };

    [Fact]
    public void A_visit_is_counted_until_it_is_disposed_and_only_once()
    {
        var node = TestNodes.Create("a");
        var visit = node.TryEnter(100)!;
        Assert.Equal((1, 100), (node.InFlight, node.PendingPromptBytes));
        visit.PromptDone();
        Assert.Equal((1, 0), (node.InFlight, node.PendingPromptBytes));
        visit.Dispose();
        visit.Dispose();
        Assert.Equal((0, 0), (node.InFlight, node.PendingPromptBytes));
    }

    [Fact]
    public void The_first_verdict_of_a_visit_counts()
    {
        var node = TestNodes.Create("a");
        using (var visit = node.TryEnter(0)!)
        {
            visit.Fail();
            visit.Succeed();
        }
        Assert.Equal(1, node.Breaker.Failures);
    }

    [Fact]
    public void Probes_take_a_node_out_and_bring_it_back_in_their_own_time()
    {
        var node = new Node(A, new RouterOptions { Probe = new ProbeOptions { Down = 3, Up = 2 } }, TimeProvider.System);
        Assert.False(node.Probed(false));
        Assert.False(node.Probed(false));
        Assert.False(node.Probed(true));    // the row is broken
        Assert.False(node.Probed(false));
        Assert.False(node.Probed(false));
        Assert.True(node.Probed(false));
        Assert.Equal(NodeState.Down, node.State);
        Assert.False(node.Probed(true));
        Assert.True(node.Probed(true));
        Assert.Equal(NodeState.Ready, node.State);
    }

    [Fact]
    public void A_node_of_unknown_models_joins_with_its_first_good_answer()
    {
        var node = new Node(A with { Models = [] }, new RouterOptions(), TimeProvider.System);
        Assert.Equal(NodeState.Joining, node.State);
        Assert.False(node.TakesWork);
        Assert.True(node.Probed(true));
        Assert.Equal(NodeState.Ready, node.State);
    }

    [Fact]
    public void The_table_keeps_a_nodes_state_over_changes_of_what_is_said_about_it()
    {
        var source = new ListNodeSource(A);
        using var table = Table(source);
        var before = table.Current.Nodes[0];
        before.Occupy(1);
        source.Set(A with { Role = EngineRole.Decode, Models = ["m2"] });
        Assert.Same(before, table.Current.Nodes[0]);
        Assert.Equal((1, EngineRole.Decode), (before.InFlight, before.Role));
        Assert.Equal(["m2"], table.Current.Models.Keys);
    }

    [Fact]
    public void A_restarted_engine_is_a_new_node()
    {
        var source = new ListNodeSource(A);
        using var table = Table(source);
        var before = table.Current.Nodes[0];
        source.Set(A with { Incarnation = "2" });
        Assert.NotSame(before, table.Current.Nodes[0]);
    }

    [Fact]
    public void Of_two_sources_the_first_ones_word_on_an_address_counts()
    {
        using var table = Table(new ListNodeSource(A), new ListNodeSource(A with { Id = "other", Role = EngineRole.Prefill }));
        Assert.Equal("a", Assert.Single(table.Current.Nodes).Id);
    }

    [Fact]
    public void Names_lead_to_every_engine_that_answers_to_them()
    {
        using var table = Table(new ListNodeSource(
            A with { Models = ["m1", "shared"] }, A with { Id = "b", Url = "http://b", Models = ["m2", "shared/"] }));
        Assert.Equal(["a"], table.Current.Pool("m1")!.Hybrid.Select(node => node.Id));
        Assert.Equal(["a", "b"], table.Current.Pool("shared/")!.Hybrid.Select(node => node.Id));
        Assert.Null(table.Current.Pool("m3"));
    }

    private static NodeTable Table(params IEnumerable<INodeSource> sources) =>
        new(sources, new RouterOptions(), TimeProvider.System, NullLogger<NodeTable>.Instance);
}
