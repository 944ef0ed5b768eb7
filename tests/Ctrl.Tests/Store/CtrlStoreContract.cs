using NanoAspire.Ctrl.Store;
using NanoAspire.Ctrl.Tests.Support;

namespace NanoAspire.Ctrl.Tests.Store;

/// <summary>What both stores promise.</summary>
public abstract class CtrlStoreContract
{
    private protected abstract ICtrlStore Store { get; }

    /// <summary>Lets every lease end, without a renewal or a sweep.</summary>
    private protected abstract Task LetLeasesLapseAsync();

    /// <summary>Lets the grace end that an agent which used to renew has.</summary>
    private protected abstract Task LetGraceEndAsync();

    [Fact]
    public async Task A_registration_can_be_found_and_listed_and_moves_the_revision()
    {
        Assert.Equal(0, await Store.RevisionAsync("s", Names.Service, default));
        Assert.Equal(1, await Store.RegisterAsync("s", Samples.Entity("a"), default));
        Assert.Equal(2, await Store.RegisterAsync("s", Samples.Entity("b", "prefill"), default));
        Assert.Equal(2, await Store.RevisionAsync("s", Names.Service, default));
        Assert.Contains("\"a\"", await Store.FindAsync("s", Names.Service, "a", default));
        Assert.Equal(2, (await Store.ListAsync("s", Names.Service, kind: null, default)).Count);
        Assert.Single(await Store.ListAsync("s", Names.Service, "cache", default));
        Assert.Empty(await Store.ListAsync("s", Names.Service, "", default));
    }

    [Fact]
    public async Task Registering_again_replaces_the_record_and_moves_the_revision_again()
    {
        await Store.RegisterAsync("", Samples.Entity("a", "one"), default);
        Assert.Equal(2, await Store.RegisterAsync("", Samples.Entity("a", "two"), default));
        Assert.Contains("two", Assert.Single(await Store.ListAsync("", type: null, kind: null, default)));
    }

    [Fact]
    public async Task A_list_without_a_type_covers_all_types_of_its_scope_and_no_other_scope()
    {
        await Store.RegisterAsync("s1", Samples.Entity("a"), default);
        await Store.RegisterAsync("s1", Samples.Entity("b", type: "job"), default);
        await Store.RegisterAsync("s2", Samples.Entity("c"), default);
        await Store.RegisterAsync("", Samples.Entity("d"), default);
        Assert.Equal(2, (await Store.ListAsync("s1", type: null, kind: null, default)).Count);
        Assert.Single(await Store.ListAsync("s2", type: null, kind: null, default));
        Assert.Single(await Store.ListAsync("", type: null, kind: null, default));
    }

    [Fact]
    public async Task A_renewal_of_what_is_not_there_says_so_and_creates_nothing()
    {
        Assert.False(await Store.RenewAsync("", Names.Service, "ghost", leaseId: null, default));
        Assert.Empty(await Store.ListAsync("", Names.Service, kind: null, default));
    }

    [Fact]
    public async Task Unregistering_removes_the_record_once()
    {
        await Store.RegisterAsync("", Samples.Entity("a"), default);
        Assert.True(await Store.UnregisterAsync("", Names.Service, "a", leaseId: null, default));
        Assert.False(await Store.UnregisterAsync("", Names.Service, "a", leaseId: null, default));
        Assert.Equal(2, await Store.RevisionAsync("", Names.Service, default));
        Assert.Null(await Store.FindAsync("", Names.Service, "a", default));
    }

    [Fact]
    public async Task A_lapsed_record_is_gone_at_once_and_the_sweep_moves_the_revision()
    {
        await Store.RegisterAsync("s", Samples.Entity("a"), default);
        await LetLeasesLapseAsync();
        Assert.Null(await Store.FindAsync("s", Names.Service, "a", default));
        Assert.Empty(await Store.ListAsync("s", Names.Service, kind: null, default));
        Assert.False(await Store.RenewAsync("s", Names.Service, "a", leaseId: null, default));
        Assert.Equal(1, await Store.SweepAsync(default));
        Assert.Equal(2, await Store.RevisionAsync("s", Names.Service, default));
        Assert.Equal(0, await Store.SweepAsync(default));
    }

    [Fact]
    public async Task A_sweep_leaves_live_records_alone()
    {
        await Store.RegisterAsync("s", Samples.Entity("a"), default);
        Assert.Equal(0, await Store.SweepAsync(default));
        Assert.NotNull(await Store.FindAsync("s", Names.Service, "a", default));
    }

    [Fact]
    public async Task A_change_wakes_the_watchers_of_its_scope_and_type_only()
    {
        using var mine = Store.Subscribe("s", Names.Service);
        using var other = Store.Subscribe("t", Names.Service);
        await Store.RegisterAsync("s", Samples.Entity("warm"), default);
        await Eventually.TrueAsync(() => WokenAsync(mine, 100), "the subscription stands");
        while (await WokenAsync(other, 100)) { }
        while (await WokenAsync(mine, 100)) { }
        await Store.RegisterAsync("s", Samples.Entity("a"), default);
        Assert.True(await WokenAsync(mine, 5000));
        Assert.False(await WokenAsync(other, 100));
        await Store.UnregisterAsync("s", Names.Service, "a", leaseId: null, default);
        Assert.True(await WokenAsync(mine, 5000));
        await LetLeasesLapseAsync();
        await Store.SweepAsync(default);
        Assert.True(await WokenAsync(mine, 5000));
    }

    [Fact]
    public async Task Only_the_holder_of_the_lease_id_renews_and_removes()
    {
        await Store.RegisterAsync("", Samples.Entity("a", leaseId: "old"), default);
        await Store.RegisterAsync("", Samples.Entity("a", leaseId: "new"), default);
        Assert.False(await Store.RenewAsync("", Names.Service, "a", "old", default));
        Assert.False(await Store.UnregisterAsync("", Names.Service, "a", "old", default));
        Assert.True(await Store.RenewAsync("", Names.Service, "a", "new", default));
        Assert.True(await Store.RenewAsync("", Names.Service, "a", leaseId: null, default));
        Assert.True(await Store.UnregisterAsync("", Names.Service, "a", "new", default));
    }

    [Fact]
    public async Task Generated_names_count_in_hexadecimal_and_pass_over_taken_ones()
    {
        Assert.Equal("agent-2", await Store.StartAgentAsync("", "agent-2", "agent", Samples.Agent(), default));
        var names = new List<string?>();
        for (var i = 0; i < 10; i++) names.Add(await Store.StartAgentAsync("", alias: null, "agent", Samples.Agent(), default));
        Assert.Equal(["agent-1", "agent-3", "agent-4", "agent-5", "agent-6", "agent-7", "agent-8", "agent-9", "agent-a", "agent-b"], names);
        Assert.Equal("agent-1", await Store.StartAgentAsync("s", alias: null, "agent", Samples.Agent(), default));
    }

    [Fact]
    public async Task An_alias_belongs_to_one_agent_until_it_lapses_or_its_own_process_comes_back()
    {
        Assert.NotNull(await Store.StartAgentAsync("", "w0", "agent", Samples.Agent("i1"), default));
        Assert.Null(await Store.StartAgentAsync("", "w0", "agent", Samples.Agent(), default));
        Assert.Null(await Store.StartAgentAsync("", "w0", "agent", Samples.Agent("i2"), default));
        Assert.NotNull(await Store.StartAgentAsync("", "w0", "agent", Samples.Agent("i1"), default));
        Assert.NotNull(await Store.StartAgentAsync("s", "w0", "agent", Samples.Agent(), default));
        await LetLeasesLapseAsync();
        Assert.NotNull(await Store.StartAgentAsync("", "w0", "agent", Samples.Agent("i2"), default));
    }

    [Fact]
    public async Task Agents_are_listed_while_they_renew()
    {
        await Store.StartAgentAsync("s", "w0", "agent", new AgentRecord { Address = "h", Device = "d", IbPort = 2, LinkType = "IB", Resource = """{"nics":[]}""" }, default);
        var agent = Assert.Single(await Store.ListAgentsAsync("s", default));
        Assert.Equal(("w0", "h", "d", 2u, "IB", """{"nics":[]}"""), (agent.Name, agent.Address, agent.Device, agent.IbPort!.Value, agent.LinkType, agent.Resource));
        Assert.True(await Store.RenewAsync("s", Names.Agent, "w0", leaseId: null, default));
        await LetLeasesLapseAsync();
        Assert.Empty(await Store.ListAgentsAsync("s", default));
        Assert.False(await Store.RenewAsync("s", Names.Agent, "w0", leaseId: null, default));
    }

    [Fact]
    public async Task A_wanted_connection_is_posted_to_the_agent_and_when_symmetric_to_the_peer()
    {
        await Store.SetTopologyAsync("s", "a", new TopologySpec(["b", "c"], "100Gbps", Symmetric: false), default);
        Assert.Equal(["b", "c"], await PeersAsync("a"));
        Assert.Empty(await PeersAsync("b"));
        await Store.SetTopologyAsync("s", "a", new TopologySpec(["b"], MinBw: null, Symmetric: true), default);
        Assert.Equal(["b", "c", "b"], await PeersAsync("a"));
        Assert.Equal(["a"], await PeersAsync("b"));
    }

    [Fact]
    public async Task A_declared_topology_can_be_read_until_its_agent_is_cleaned_up()
    {
        Assert.Null(await Store.GetTopologyAsync("s", "a", default));
        await Store.SetTopologyAsync("s", "a", new TopologySpec(["b", "c"], MinBw: null, Symmetric: true), default);
        await Store.SetTopologyAsync("s", "b", new TopologySpec(["d"], MinBw: null, Symmetric: false), default);
        await Store.SetTopologyAsync("s", "a", new TopologySpec(["b"], MinBw: null, Symmetric: true), default);
        Assert.Equal(["b"], await Store.GetTopologyAsync("s", "a", default));
        Assert.Equal(["d", "a"], await Store.GetTopologyAsync("s", "b", default));
        Assert.Null(await Store.GetTopologyAsync("", "a", default));
        await Store.SetTopologyAsync("s", "a", new TopologySpec([], MinBw: null, Symmetric: false), default);
        Assert.Empty((await Store.GetTopologyAsync("s", "a", default))!);
        await Store.CleanupAgentAsync("s", "b", default);
        Assert.Null(await Store.GetTopologyAsync("s", "b", default));
    }

    [Fact]
    public async Task A_mailbox_is_read_from_where_the_reader_was()
    {
        for (var i = 0; i < 3; i++) await Store.PostMailAsync("", "a", [new("type", "qp_ready"), new("peer", $"p{i}")], default);
        var first = await Store.ReadMailAsync("", "a", "0-0", 2, default);
        Assert.Equal(2, first.Count);
        var rest = Assert.Single(await Store.ReadMailAsync("", "a", first[1].Id, 10, default));
        Assert.Contains(new("peer", "p2"), rest.Fields);
        Assert.Contains(rest.Fields, f => f.Key == "timestamp" && double.Parse(f.Value, System.Globalization.CultureInfo.InvariantCulture) > 0);
        Assert.Empty(await Store.ReadMailAsync("", "a", rest.Id, 10, default));
    }

    [Fact]
    public async Task A_mailbox_keeps_about_its_limit()
    {
        for (var i = 0; i < IPeerStore.MailboxLimit + 300; i++) await Store.PostMailAsync("", "a", [new("type", "t"), new("peer", "p")], default);
        Assert.InRange((await Store.ReadMailAsync("", "a", "0-0", 5000, default)).Count, IPeerStore.MailboxLimit, IPeerStore.MailboxLimit + 200);
    }

    [Fact]
    public async Task Cleanup_removes_what_an_agent_left_and_tells_its_peers()
    {
        await Store.StartAgentAsync("s", "a", "agent", Samples.Agent(), default);
        await Store.SetTopologyAsync("s", "a", new TopologySpec(["b"], MinBw: null, Symmetric: false), default);
        await Store.SetTopologyAsync("s", "d", new TopologySpec(["a"], MinBw: null, Symmetric: false), default);
        await Store.SetMemoryRegionAsync("s", "a", "kv", "{}", default);
        await Store.SetMemoryRegionAsync("s", "b", "kv", "{}", default);
        await Store.CleanupAgentAsync("s", "a", default);
        Assert.Empty(await Store.ListAgentsAsync("s", default));
        Assert.Empty(await PeersAsync("a"));
        Assert.Null(await Store.GetMemoryRegionAsync("s", "a", "kv", default));
        Assert.NotNull(await Store.GetMemoryRegionAsync("s", "b", "kv", default));
        Assert.Equal(["""{"peer":"a","type":"cleanup"}"""], await Store.TakeNoticesAsync("s", "b", default));
        Assert.Single(await Store.TakeNoticesAsync("s", "d", default));
        Assert.Empty(await Store.TakeNoticesAsync("s", "d", default));
        await Store.CleanupAgentAsync("s", "a", default);
        Assert.Empty(await Store.TakeNoticesAsync("s", "b", default));
        Assert.Single(await Store.TakeNoticesAsync("s", "d", default));
        await Store.CleanupAgentAsync("s", "nobody", default);
    }

    [Fact]
    public async Task An_agent_that_used_to_renew_and_stays_away_is_cleaned_up()
    {
        await Store.StartAgentAsync("s", "a", "agent", Samples.Agent(), default);
        await Store.RenewAsync("s", Names.Agent, "a", leaseId: null, default);
        await Store.SetTopologyAsync("s", "a", new TopologySpec(["b"], MinBw: null, Symmetric: false), default);
        await LetLeasesLapseAsync();
        await Store.SweepAsync(default);
        Assert.NotEmpty(await PeersAsync("a"));
        await LetGraceEndAsync();
        await Store.SweepAsync(default);
        Assert.Empty(await PeersAsync("a"));
        Assert.Single(await Store.TakeNoticesAsync("s", "b", default));
    }

    [Fact]
    public async Task An_agent_that_never_renews_keeps_its_mail_for_ever_as_the_first_generation_needs()
    {
        await Store.StartAgentAsync("s", "a", "agent", Samples.Agent(), default);
        await Store.SetTopologyAsync("s", "a", new TopologySpec(["b"], MinBw: null, Symmetric: false), default);
        await LetLeasesLapseAsync();
        await LetGraceEndAsync();
        await Store.SweepAsync(default);
        Assert.NotEmpty(await PeersAsync("a"));
    }

    [Fact]
    public async Task Many_writers_lose_no_revision()
    {
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Store.RegisterAsync("s", Samples.Entity($"e{i}"), default)));
        Assert.Equal(200, await Store.RevisionAsync("s", Names.Service, default));
        Assert.Equal(200, (await Store.ListAsync("s", Names.Service, kind: null, default)).Count);
    }

    private static async Task<bool> WokenAsync(IChangeSubscription subscription, int milliseconds)
    {
        using var limit = new CancellationTokenSource(milliseconds);
        try { await subscription.WaitAsync(limit.Token); }
        catch (OperationCanceledException) { return false; }
        return true;
    }

    private async Task<string[]> PeersAsync(string agent) =>
        [.. (await Store.ReadMailAsync("s", agent, "0-0", 100, default)).Select(e => e.Fields.Single(f => f.Key == "peer").Value)];

    [Fact]
    public async Task A_report_replaces_the_one_before_stays_in_its_scope_and_needs_an_agent()
    {
        var life = TimeSpan.FromMinutes(3);
        Assert.False(await Store.SetReportAsync("s", "a", "{}", life, default));
        await Store.StartAgentAsync("s", "a", "agent", new() { Address = "h" }, default);
        await Store.StartAgentAsync("t", "a", "agent", new() { Address = "h" }, default);
        Assert.True(await Store.SetReportAsync("s", "a", """{"n":1}""", life, default));
        Assert.True(await Store.SetReportAsync("s", "a", """{"n":2}""", life, default));
        Assert.True(await Store.SetReportAsync("t", "a", """{"n":3}""", life, default));
        Assert.Equal(["""{"n":2}"""], await Store.ListReportsAsync("s", default));
        Assert.Empty(await Store.ListReportsAsync("", default));
        await Store.CleanupAgentAsync("s", "a", default);
        Assert.Equal(["""{"n":2}"""], await Store.ListReportsAsync("s", default)); // its last words
    }

    [Fact]
    public async Task A_report_is_gone_when_its_time_is_over()
    {
        await Store.StartAgentAsync("s", "a", "agent", new() { Address = "h" }, default);
        Assert.True(await Store.SetReportAsync("s", "a", "{}", TimeSpan.FromMilliseconds(200), default));
        await LetLeasesLapseAsync();
        await Task.Delay(250);                                               // of the store that keeps time itself
        Assert.Empty(await Store.ListReportsAsync("s", default));
    }
}
