using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Tests.Ucx;

/// <summary>Counts handles and memory of the whole process, so it runs alone.</summary>
[CollectionDefinition(nameof(UcxLeakTests), DisableParallelization = true)]
public sealed class UcxLeakCollection;

[Collection(nameof(UcxLeakTests)), Trait("needs", "ucx")]
public sealed class UcxLeakTests
{
    private const int Size = 64 << 10;

    /// <summary>Files in /dev/shm that were seen mapped.</summary>
    private readonly HashSet<string> _segments = [];

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    public async Task A_thousand_endpoints_and_regions_leave_handles_memory_and_segments_where_they_were()
    {
        await using var serving = new UcxThread(UcpContext.Process, "serve", TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
        await using var reading = new UcxThread(UcpContext.Process, "read", TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
        using var to = new TestMemory(Size);
        var regions = new RegionRegistry();
        var local = to.Register(regions);

        await CycleAsync(100);
        var before = Measure();
        await CycleAsync(1000);
        var after = Measure();

        Assert.InRange(after.Handles, 0, before.Handles + 3);
        Assert.InRange(after.Segments, 0, before.Segments);
        Assert.InRange(after.Maps, 0, before.Maps + 20);
        // The allocators of both sides keep pages; a thousand lost endpoints or regions would be far more.
        Assert.InRange(after.Resident, 0, before.Resident + (24L << 20));
        await regions.UnregisterAsync(local, default);

        async Task CycleAsync(int times)
        {
            for (var i = 0; i < times; i++)
            {
                using var from = TestMemory.Ucx(Size).Fill(i);
                if (i % 50 == 0) _segments.UnionWith(MappedSegments());
                var owners = new RegionRegistry();
                var region = from.Export(owners);
                Assert.True(region.TryPin());
                var registration = region.Attach(UcxRegistration.Of);
                region.Unpin();
                var description = new UcxDescription(UcxLibrary.Version, (ulong)region.Address, region.Length, serving.Address, registration.PackKey());
                var connection = await reading.RunAsync(worker => new UcxConnection(reading, worker, UcxDescription.Read(description.ToBytes()), peerErrors: UcxPath.ReportsPeerErrors(UcxLibrary.Version)));
                using (var memory = new UcxMemory(reading, connection, Size, needsProof: false))
                using (var plan = TransferPlan.Create(regions, [new() { Remote = region.Id, RemoteOffset = 0, Local = local.Id, LocalOffset = 0, Length = Size }], Size, 16))
                {
                    Assert.True(plan.TryTakeFrame(out var frame));
                    await memory.CopyAsync(plan, frame, writes: false, CancellationToken.None);
                }
                Assert.Equal(from.Span, to.Span);
                await reading.RunAsync(static _ => 0); // the connection is closed by now
                await owners.UnregisterAsync(region, default);
            }
        }
    }

    /// <summary>Of this process alone: others on the machine use UCX as well.</summary>
    private static IEnumerable<string> MappedSegments() => File.ReadLines("/proc/self/maps")
        .Select(static line => line.IndexOf("/dev/shm/", StringComparison.Ordinal) is >= 0 and var at ? line[at..] : "")
        .Where(static name => name.Length > 0 && !name.EndsWith(" (deleted)", StringComparison.Ordinal));

    private (int Handles, int Segments, int Maps, long Resident) Measure()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return (
            Directory.GetFileSystemEntries("/proc/self/fd").Length,
            _segments.Count(File.Exists),
            File.ReadLines("/proc/self/maps").Count(static line => line.Contains("/dev/shm", StringComparison.Ordinal) || line.Contains("SYSV", StringComparison.Ordinal)),
            Environment.WorkingSet);
    }
}
