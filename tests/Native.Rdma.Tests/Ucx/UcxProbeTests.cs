using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Tests.Ucx;

/// <summary>The first connection to a peer, over UCX's TCP: what it guards against, a peer that never answers, only tests/rdma-vm can make.</summary>
[Trait("needs", "ucx")]
public sealed class UcxProbeTests : IDisposable
{
    private const int Size = 4096;
    private readonly TestMemory _memory = TestMemory.WithPattern(Size);

    public void Dispose() => _memory.Dispose();

    private static UcxProbe Probe(UcpContext context) => new(context, TimeSpan.FromSeconds(30), TimeProvider.System, NullLogger.Instance);

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    public async Task A_peer_that_answers_is_reached_and_the_worker_of_the_probe_goes()
    {
        using var context = new UcpContext("tcp");
        await using var serving = new UcxThread(context, "serve", TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
        using var registered = UcpMemoryRegion.Register(context, _memory.Address, Size);
        var description = new UcxDescription(UcxLibrary.Version, (ulong)_memory.Address, Size, serving.Address, registered.PackKey());
        var probe = Probe(context);
        var attempts = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => probe.TryReachAsync(description, peerErrors: true, CancellationToken.None)));
        Assert.All(attempts, Assert.Null);
        Assert.Equal(1, probe.Attempts);
    }

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    public async Task A_peer_that_is_gone_is_not_reached_and_is_tried_again_by_who_asks_later()
    {
        using var context = new UcpContext("tcp");
        using var registered = UcpMemoryRegion.Register(context, _memory.Address, Size);
        UcxDescription description;
        await using (var serving = new UcxThread(context, "serve", TimeSpan.Zero, TimeProvider.System, NullLogger.Instance))
            description = new(UcxLibrary.Version, (ulong)_memory.Address, Size, serving.Address, registered.PackKey());
        var probe = Probe(context);
        for (var i = 0; i < 2; i++) Assert.NotNull(await probe.TryReachAsync(description, peerErrors: true, CancellationToken.None));
        Assert.Equal(2, probe.Attempts);
    }
}
