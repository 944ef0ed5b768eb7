using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Tests.Ucx;

/// <summary>
/// What is in flight when a transfer is given up. Over TCP, which transports never do, UCX needs the owner's worker: while that
/// stands still, nothing that was posted ends by itself.
/// </summary>
[Trait("needs", "ucx")]
public sealed class UcxAbortTests
{
    private const int Size = 4 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    public async Task A_cancelled_read_ends_with_its_connection_and_nothing_is_written_later()
    {
        using var context = new UcpContext("tcp");
        await using var serving = new UcxThread(context, "serve", TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
        var reading = new UcxThread(context, "read", TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var regions = new RegionRegistry();
        var local = to.Register(regions);
        using (var registered = UcpMemoryRegion.Register(context, from.Address, Size))
        {
            var description = new UcxDescription(UcxLibrary.Version, (ulong)from.Address, Size, serving.Address, registered.PackKey());
            var connection = await reading.RunAsync(worker => new UcxConnection(reading, worker, description, peerErrors: true));
            await ReadAsync(static _ => Task.CompletedTask, CancellationToken.None);
            Assert.Equal(from.Span, to.Span); // connected

            serving.Hold(true, TimeSpan.FromMinutes(5));
            using var cancel = new CancellationTokenSource();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReadAsync(
                async batch =>
                {
                    for (var i = 0; i < 6000 && batch.InFlight == 0; i++) await Task.Delay(5);
                    Assert.InRange(batch.InFlight, 1, 64);
                    await cancel.CancelAsync();
                },
                cancel.Token));
            Assert.False(reading.IsDead); // the error mode allows a forced close; the worker lives on

            to.Span.Fill(0xEE);
            serving.Hold(false, TimeSpan.Zero);
            for (var i = 0; i < 20; i++) await serving.RunAsync(static _ => 0); // it has had turns to answer in
            reading.Post(connection.Dispose);
            await reading.DisposeAsync();
            Assert.False(to.Span.ContainsAnyExcept((byte)0xEE));

            async Task ReadAsync(Func<UcxBatch, Task> meanwhile, CancellationToken cancellationToken)
            {
                TransferRange[] ranges = [.. Enumerable.Range(0, 64).Select(i => new TransferRange
                {
                    Remote = default, RemoteOffset = (ulong)((63 - i) * (Size / 64)), Local = local.Id, LocalOffset = (ulong)((63 - i) * (Size / 64)), Length = Size / 64,
                })];
                using var plan = TransferPlan.Create(regions, ranges, Size, 64);
                Assert.True(plan.TryTakeFrame(out var frame));
                var batch = new UcxBatch(connection, plan, frame, writes: false, localMemory: 0, mayStream: false, cancellationToken);
                reading.Start(batch);
                await using var wake = cancellationToken.Register(reading.Wake);
                await meanwhile(batch);
                await batch.Completion.WaitAsync(Patience, CancellationToken.None);
            }
        }
        await regions.UnregisterAsync(local, default);
    }
}
