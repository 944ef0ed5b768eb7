using NanoAspire.Ctrl.Client;
using NanoAspire.Native.Rdma.Tests;

namespace NanoAspire.Native.Rdma.Peers.Tests;

public sealed class RegionKeyTests
{
    [Fact]
    public async Task A_key_names_the_region_of_its_incarnation_and_of_no_other()
    {
        var registry = new RegionRegistry();
        using var memory = new TestMemory(4096);
        for (var generation = 1u; generation <= 3; generation++)
        {
            var region = memory.Export(registry);
            var info = RegionKey.Of(region, registry.Incarnation);
            Assert.Equal(new PeerRegion(new(0, generation), 4096), RegionKey.Read(info, registry.Incarnation));
            Assert.Equal((ulong)memory.Address, info.Address);
            Assert.Null(RegionKey.Read(info, registry.Incarnation ^ 0b10));
            await registry.UnregisterAsync(region, default);
        }
    }

    [Theory, InlineData(1), InlineData(19), InlineData(20), InlineData(39), InlineData(40), InlineData(63)]
    public void Every_bit_of_an_incarnation_counts(int bit)
    {
        var registry = new RegionRegistry();
        using var memory = new TestMemory(64);
        var info = RegionKey.Of(memory.Export(registry), registry.Incarnation);
        Assert.Null(RegionKey.Read(info, registry.Incarnation ^ (1UL << bit)));
    }

    [Fact]
    public void What_is_withdrawn_or_written_by_others_is_no_region()
    {
        Assert.Null(RegionKey.Read(RegionKey.Withdrawn, 1));
        Assert.Null(RegionKey.Read(new MemoryRegionInfo(4096, 4096, 7, LocalKey: 0), 0x1234_5678_9ABC_DEF1));
        Assert.Null(RegionKey.Read(new MemoryRegionInfo(4096, 0, 7, LocalKey: 0), 0));
    }
}
