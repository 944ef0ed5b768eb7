using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Tests.Tcp;

/// <summary>Counts handles of the whole process, so it runs alone.</summary>
[CollectionDefinition(nameof(TcpLeakTests), DisableParallelization = true)]
public sealed class TcpLeakCollection;

[Collection(nameof(TcpLeakTests))]
public sealed class TcpLeakTests
{
    [Fact]
    public async Task A_thousand_transports_opened_and_closed_leave_handles_regions_and_memory_where_they_were()
    {
        using var from = TestMemory.WithPattern(1 << 20);
        using var to = new TestMemory(1 << 20);
        var sourceRegions = new RegionRegistry();
        var remote = from.Export(sourceRegions).Id;
        await using var source = Transport(sourceRegions);
        var peer = source.Listen();
        var regions = new RegionRegistry();

        await CycleAsync(50);
        var (handles, memory) = Measure();
        await CycleAsync(1000);
        for (var i = 0; i < 1000 && source.ServedConnections > 0; i++) await Task.Delay(5);
        var after = Measure();

        Assert.Equal(0, source.ServedConnections);
        Assert.Equal(0, regions.Count);
        Assert.InRange(after.Handles, 0, handles + 3);
        Assert.InRange(after.Memory, 0, memory + (2 << 20));

        async Task CycleAsync(int times)
        {
            for (var i = 0; i < times; i++)
            {
                await using var reader = Transport(regions);
                var local = to.Register(regions);
                var range = new TransferRange { Remote = remote, RemoteOffset = 0, Local = local.Id, LocalOffset = 0, Length = 1 << 20 };
                Assert.Equal(1 << 20, await reader.ReadAsync(peer, [range], token: 0, default));
                await regions.UnregisterAsync(local, default);
            }
        }
    }

    [Fact]
    public async Task Idle_connections_are_closed()
    {
        using var from = TestMemory.WithPattern(64);
        using var to = new TestMemory(64);
        var regions = new RegionRegistry();
        await using var source = Transport(regions);
        await using var reader = new TcpTransport(regions, new() { IdleTimeout = TimeSpan.FromMilliseconds(50) }, TimeProvider.System, NullLogger<TcpTransport>.Instance);
        var range = new TransferRange { Remote = from.Export(regions).Id, RemoteOffset = 0, Local = to.Register(regions).Id, LocalOffset = 0, Length = 8 };
        for (var round = 0; round < 3; round++)
        {
            Assert.Equal(8, await reader.ReadAsync(source.Listen(), [range], token: 0, default));
            for (var i = 0; i < 1000 && reader.IdleConnections + source.ServedConnections > 0; i++) await Task.Delay(10);
            Assert.Equal(0, reader.IdleConnections);
            Assert.Equal(0, source.ServedConnections);
        }
    }

    private static TcpTransport Transport(RegionRegistry regions) => new(regions, new(), TimeProvider.System, NullLogger<TcpTransport>.Instance);

    private static (int Handles, long Memory) Measure()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return (Directory.GetFileSystemEntries("/proc/self/fd").Length, GC.GetTotalMemory(forceFullCollection: true));
    }
}
