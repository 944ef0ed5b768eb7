using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Tests.Ucx;

/// <summary>A worker that had to be torn down takes nobody with it.</summary>
[Trait("needs", "ucx")]
public sealed class UcxThreadTests
{
    private const int Size = 1 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    public async Task What_was_accepted_before_the_worker_was_torn_down_does_not_touch_it()
    {
        using var context = new UcpContext("tcp");
        await using var serving = Thread(context, "serve");
        for (var round = 0; round < 10; round++)
        {
            var thread = Thread(context, "read");
            using var mayGoOn = new ManualResetEventSlim();
            var killing = thread.RunAsync(_ =>
            {
                mayGoOn.Wait(Patience);
                thread.Kill();
                return 0;
            });
            Task[] behind = [thread.RunAsync(worker => worker.Address()), thread.RunAsync(worker => new UcpEndpoint(worker, serving.Address, peerErrors: true))];
            mayGoOn.Set();
            await killing.WaitAsync(Patience);
            foreach (var late in behind) Assert.Equal(TransferCode.PeerLost, (await Assert.ThrowsAsync<TransferException>(() => late.WaitAsync(Patience))).Code);
        }
    }

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    public async Task A_transfer_that_it_refuses_is_collected()
    {
        using var context = new UcpContext("tcp");
        await using var serving = Thread(context, "serve");
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var regions = new RegionRegistry();
        var local = to.Register(regions);
        using var registered = UcpMemoryRegion.Register(context, from.Address, Size);
        var description = new UcxDescription(UcxLibrary.Version, (ulong)from.Address, Size, serving.Address, registered.PackKey());
        var reading = Thread(context, "read");
        var connection = await reading.RunAsync(worker => new UcxConnection(reading, worker, description, peerErrors: true));
        var connected = UcxBatch.Flush(connection, CancellationToken.None);
        reading.Start(connected);
        await connected.Completion.WaitAsync(Patience);                      // UCX 1.13 ends the process when it destroys a connection that is being made
        await reading.RunAsync(_ =>
        {
            reading.Kill();
            return 0;
        });
        var refused = Refused();
        for (var i = 0; i < 5; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.False(refused.IsAlive);
        GC.KeepAlive(connection);

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference Refused()
        {
            using var plan = TransferPlan.Create(regions, [new TransferRange { Remote = default, RemoteOffset = 0, Local = local.Id, LocalOffset = 0, Length = Size }], Size, 64);
            Assert.True(plan.TryTakeFrame(out var frame));
            var batch = new UcxBatch(connection, plan, frame, writes: false, localMemory: 0, mayStream: false, CancellationToken.None);
            Assert.Throws<TransferException>(() => reading.Start(batch));
            return new(batch);
        }
    }

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    public async Task A_hold_that_came_before_the_worker_takes_nothing_from_the_next_one()
    {
        using var context = new UcpContext("tcp");
        await using var thread = Thread(context, "serve");
        thread.Hold(false, TimeSpan.FromSeconds(1));
        Assert.False(thread.IsHeld);
        thread.Hold(true, TimeSpan.FromMinutes(1));
        Assert.True(thread.IsHeld);
        thread.Hold(false, TimeSpan.FromMinutes(1));
        Assert.False(thread.IsHeld);
    }

    private static UcxThread Thread(UcpContext context, string name) => new(context, name, TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
}
