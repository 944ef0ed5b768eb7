using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Tests.Ucx;

/// <summary>
/// What waiting costs, counted in processor time of the waiting thread. A read over TCP whose owner stands still stays in flight
/// for as long as the test wants.
/// </summary>
[Trait("needs", "ucx")]
public sealed class UcxSpinTests
{
    private const int Size = 1 << 20;
    private static readonly TimeSpan Spin = TimeSpan.FromSeconds(1), Interval = TimeSpan.FromSeconds(2);
    /// <summary>In an interval; looking for deadlines fifty times a second takes a few milliseconds.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(100);
    /// <summary>While it spins, at least: little, for a busy machine; ten times what looking for deadlines takes.</summary>
    private static readonly TimeSpan Busy = TimeSpan.FromMilliseconds(30);

    [Theory(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs)), InlineData(true), InlineData(false)]
    public async Task A_thread_spins_for_as_long_as_it_was_told_and_then_sleeps_although_something_is_in_flight(bool spins)
    {
        var name = spins ? "spin-long" : "spin-not";
        using var context = new UcpContext("tcp");
        await using var serving = new UcxThread(context, "spin-serve", TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
        var reading = new UcxThread(context, name, spins ? Spin : TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var regions = new RegionRegistry();
        var local = to.Register(regions);
        using (var registered = UcpMemoryRegion.Register(context, from.Address, Size))
        {
            var description = new UcxDescription(UcxLibrary.Version, (ulong)from.Address, Size, serving.Address, registered.PackKey());
            var connection = await reading.RunAsync(worker => new UcxConnection(reading, worker, description, peerErrors: true));
            await Read().Completion.WaitAsync(TimeSpan.FromSeconds(30)); // connected

            serving.Hold(true, TimeSpan.FromMinutes(2));
            var before = ProcessorTime(name);
            var batch = Read();
            await Task.Delay(Spin);
            Assert.False(batch.Completion.IsCompleted);
            Assert.Equal(spins, ProcessorTime(name) - before >= Busy);
            Assert.True(await QuietAsync(name), "the thread does not stop spinning");
            Assert.False(batch.Completion.IsCompleted);

            serving.Hold(false, TimeSpan.Zero);
            await batch.Completion.WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(from.Span, to.Span);
            reading.Post(connection.Dispose);
            await reading.DisposeAsync();

            UcxBatch Read()
            {
                TransferRange whole = new() { Remote = default, RemoteOffset = 0, Local = local.Id, LocalOffset = 0, Length = Size };
                var plan = TransferPlan.Create(regions, [whole], Size, 1);
                Assert.True(plan.TryTakeFrame(out var frame));
                var batch = new UcxBatch(connection, plan, frame, writes: false, localMemory: 0, mayStream: false, CancellationToken.None);
                batch.Completion.ContinueWith(_ => plan.Dispose(), TaskScheduler.Default);
                reading.Start(batch);
                return batch;
            }
        }
        await regions.UnregisterAsync(local, default);
    }

    /// <summary>True once an interval passes in which the thread hardly runs.</summary>
    private static async Task<bool> QuietAsync(string thread)
    {
        for (var i = 0; i < 5; i++)
        {
            var before = ProcessorTime(thread);
            await Task.Delay(Interval);
            if (ProcessorTime(thread) - before < Idle) return true;
        }
        return false;
    }

    /// <summary>Of the one thread of this process that is called so.</summary>
    private static TimeSpan ProcessorTime(string thread)
    {
        var task = Directory.GetDirectories("/proc/self/task").Single(t => Read(t, "comm") == thread);
        var nanoseconds = Read(task, "schedstat").Split(' ')[0];
        return TimeSpan.FromMicroseconds(long.Parse(nanoseconds, CultureInfo.InvariantCulture) / 1000);
    }

    /// <summary>Nothing of a thread that has ended since it was listed.</summary>
    private static string Read(string task, string file)
    {
        try { return File.ReadAllText(Path.Combine(task, file)).Trim(); }
        catch (IOException) { return ""; }
    }
}
