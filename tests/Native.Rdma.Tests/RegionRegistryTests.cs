namespace NanoAspire.Native.Rdma.Tests;

public sealed class RegionRegistryTests
{
    private readonly RegionRegistry _registry = new();

    [Fact]
    public async Task A_slot_is_reused_under_a_new_generation()
    {
        using var memory = new TestMemory(64);
        var first = memory.Export(_registry);
        await _registry.UnregisterAsync(first, default);
        await _registry.UnregisterAsync(first, default);
        var second = memory.Export(_registry);
        Assert.Equal(first.Id with { Generation = first.Id.Generation + 1 }, second.Id);
        Assert.Equal(TransferCode.StaleRegion, _registry.Find(first.Id, out _));
        Assert.Equal(TransferCode.Ok, _registry.Find(second.Id, out var found));
        Assert.Same(second, found);
        Assert.Equal(TransferCode.UnknownRegion, _registry.Find(second.Id with { Generation = second.Id.Generation + 1 }, out _));
        await _registry.UnregisterAsync(first, default); // late and repeated: must not take the newcomer away
        Assert.Equal(1, _registry.Count);
    }

    [Fact]
    public async Task Unregistering_waits_for_pins_and_can_be_given_up()
    {
        using var memory = new TestMemory(64);
        var region = memory.Export(_registry);
        Assert.True(region.TryPin());
        using var impatient = new CancellationTokenSource();
        var first = _registry.UnregisterAsync(region, impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(region.TryPin());
        var second = _registry.UnregisterAsync(region, default);
        Assert.False(second.IsCompleted);
        region.Unpin();
        await second;
    }

    [Fact]
    public void The_number_of_regions_is_bounded()
    {
        using var memory = new TestMemory(64);
        for (var i = 0; i < RegionRegistry.MaxRegions; i++) memory.Export(_registry);
        Assert.Throws<InvalidOperationException>(() => memory.Export(_registry));
    }

    [Theory]
    [InlineData(0, 64, true)]
    [InlineData(64, 0, true)]
    [InlineData(63, 2, false)]
    [InlineData(65, 0, false)]
    [InlineData(ulong.MaxValue, 2, false)]
    [InlineData(2, ulong.MaxValue, false)]
    public void Bounds_hold_without_overflow(ulong offset, ulong length, bool inside)
    {
        using var memory = new TestMemory(64);
        Assert.Equal(inside, memory.Export(_registry).Contains(offset, length));
    }

    [Theory, InlineData("3.1"), InlineData("0.4294967295")]
    public void Region_ids_survive_text(string text)
    {
        Assert.True(RegionId.TryParse(text, out var id));
        Assert.Equal(text, id.ToString());
    }

    [Theory, InlineData(null), InlineData(""), InlineData("3"), InlineData(".1"), InlineData("1."), InlineData("-1.2"), InlineData("1.2.3"), InlineData("4294967296.1")]
    public void Other_text_is_no_region_id(string? text) => Assert.False(RegionId.TryParse(text, out _));

    [Fact]
    public void Reply_codes_never_change_their_number() =>
        Assert.Equal("Ok=0 BadRequest=1 UnknownRegion=2 StaleRegion=3 OutOfRange=4 TokenRefused=5 LimitExceeded=6 Busy=7 DeviceMemory=8 PeerLost=64 Timeout=65 Protocol=66 NotMappable=67",
            string.Join(' ', Enum.GetValues<TransferCode>().Select(static c => $"{c}={(byte)c}")));
}
