namespace NanoAspire.Native.Rdma.Peers.Tests;

public sealed class NicDiscoveryTests : IDisposable
{
    private readonly FakeSysfs _sysfs = new();

    public void Dispose() => _sysfs.Dispose();

    private IReadOnlyList<NetworkCard> Find(string? preferred = null, string? visible = null, IReadOnlyList<string>? devices = null, string linkType = "RoCE") =>
        new NicDiscovery(new() { SysfsRoot = _sysfs.Root, PreferredDevice = preferred, VisibleDevices = visible, Devices = devices, PreferredLinkType = linkType }).Find();

    private static IEnumerable<string> Names(IEnumerable<NetworkCard> cards) => cards.Select(static c => c.Name);

    [Fact]
    public void A_card_is_described_by_its_bus_id_node_and_ports()
    {
        _sysfs.Add("mlx5_0", "0000:81:00.0", "1", ("4: ACTIVE", "Ethernet", null), ("1: DOWN", "InfiniBand", null));
        var card = Assert.Single(Find());
        Assert.Equal(("mlx5_0", "0000:81:00.0", 1, "AVAILABLE"), (card.Name, card.PciBusId, card.NumaNode, card.Health));
        Assert.Equal([new(1, "ACTIVE", "RoCE"), new(2, "DOWN", "IB")], card.Ports);
        Assert.Equal(
            """{"name":"mlx5_0","health":"AVAILABLE","numa_node":1,"pci_bus_id":"0000:81:00.0","ports":[{"port":1,"state":"ACTIVE","link_type":"RoCE"},{"port":2,"state":"DOWN","link_type":"IB"}]}""",
            card.ToResource().ToJsonString());
    }

    [Fact]
    public void A_card_without_an_active_port_is_degraded()
    {
        _sysfs.Add("a", "0000:01:00.0", "0", ("1: DOWN", "InfiniBand", null)).Add("b", "0000:02:00.0", "0", ("2: INIT", "InfiniBand", null));
        Assert.All(Find(), static c => Assert.Equal(("DEGRADED", null), (c.Health, c.UsablePort)));
    }

    [Fact]
    public void The_preferred_card_comes_first_and_only_if_it_is_there()
    {
        foreach (var name in (string[])["c", "a", "b"]) _sysfs.Add(name, null, null, ("4: ACTIVE", "Ethernet", null));
        Assert.Equal(["a", "b", "c"], Names(Find()));
        Assert.Equal(["b", "a", "c"], Names(Find(preferred: "b")));
        Assert.Equal(["a", "b", "c"], Names(Find(preferred: "nowhere")));
    }

    [Fact]
    public void Only_visible_cards_are_told_of_and_a_hidden_preferred_one_is_not_added()
    {
        foreach (var name in (string[])["a", "b", "c"]) _sysfs.Add(name, null, null, ("4: ACTIVE", "Ethernet", null));
        Assert.Equal(["a", "c"], Names(Find(visible: " c, a,x ")));
        Assert.Equal(["a"], Names(Find(preferred: "b", visible: "a")));
        Assert.Equal(["a", "b", "c"], Names(Find(visible: "")));
    }

    [Fact]
    public void What_the_system_does_not_say_is_assumed()
    {
        _sysfs.Add("bare", null, null).Add("odd", "0000:01:00.0", "many", ("", "", null)).Add("other", null, null, (null, "Omni-Path", null));
        var cards = Find(linkType: "infiniband").ToDictionary(static c => c.Name);
        Assert.Equal(("", -1, "AVAILABLE"), (cards["bare"].PciBusId, cards["bare"].NumaNode, cards["bare"].Health));
        Assert.Equal([new(1, "ACTIVE", "IB")], cards["bare"].Ports);
        Assert.Equal(-1, cards["odd"].NumaNode);
        Assert.Equal([new(1, "UNKNOWN", "UNKNOWN")], cards["odd"].Ports);
        Assert.Null(cards["odd"].UsablePort);
        Assert.Equal([new(1, "ACTIVE", "Omni-Path")], cards["other"].Ports);
    }

    [Fact]
    public void Cards_can_be_named_where_there_is_no_sysfs_and_without_either_there_are_none()
    {
        _sysfs.Dispose();
        Assert.Equal([new(1, "ACTIVE", "RoCE")], Assert.Single(Find(devices: ["x"])).Ports);
        Assert.Empty(Find());
        Directory.CreateDirectory(_sysfs.Root);
    }

    [Fact]
    public void The_traffic_of_a_card_is_that_of_all_its_ports_in_bytes()
    {
        _sysfs.Add("a", null, null, ("4: ACTIVE", "Ethernet", 10), ("4: ACTIVE", "Ethernet", 0)).Add("b", null, null, ("4: ACTIVE", "Ethernet", null));
        _sysfs.Count("a", 2, sent: 5, received: 7);
        var nics = new NicDiscovery(new() { SysfsRoot = _sysfs.Root, VisibleDevices = null });
        Assert.Equal((60, 68), nics.Traffic(nics.Find()[0]));
        Assert.Null(nics.Traffic(nics.Find()[1]));
    }
}
