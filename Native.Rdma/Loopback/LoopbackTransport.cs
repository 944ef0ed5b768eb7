using NanoAspire.Native.Rdma.Cuda;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Loopback;

/// <summary>Transfers between regions of one process: a memory copy, behind the same checks as a remote one.</summary>
public sealed class LoopbackTransport(RegionRegistry? regions = null) : ITransport
{
    /// <summary>Copied between two looks at the cancellation token.</summary>
    private const int FrameBytes = 256 << 10;
    private const int FrameRanges = 256;

    /// <summary>As long as the other transports give a frame.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly PeerOrder _order = new(Patience, TimeProvider.System);
    private readonly OperationGate _operations = new(typeof(LoopbackTransport));

    public string Name => "loopback";
    public string Reason => "engines of one process";
    public RegionRegistry Regions { get; } = regions ?? RegionRegistry.Process;

    public TransferPeer Listen() => new(Name, Regions.Incarnation);

    public Task<long> ReadAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken) =>
        Telemetry.MeasureAsync(Name, "read", Telemetry.BytesOf(ranges), _operations.RunAsync(stop => CopyAllAsync(peer, ranges, token, writes: false, stop), cancellationToken));

    public Task<long> WriteAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, WriteNotification? notification, CancellationToken cancellationToken) =>
        _order.Track(peer, Telemetry.MeasureAsync(Name, "write", Telemetry.BytesOf(ranges), _operations.RunAsync(async stop =>
        {
            var bytes = await CopyAllAsync(peer, ranges, token, writes: true, stop).ConfigureAwait(false);
            if (notification is { } value) await NotifyAsync(peer, value, token, stop).ConfigureAwait(false);
            return bytes;
        }, cancellationToken)));

    public Task SendAsync(TransferPeer peer, ulong tag, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        TransferInbox.ThrowIfTooLong(message.Length);
        return Telemetry.MeasureAsync(Name, "send", message.Length, _order.InOrder(peer, () => _operations.RunAsync(async stop =>
        {
            Check(peer.Incarnation == Regions.Incarnation ? TransferCode.Ok : TransferCode.StaleRegion);
            await DeliverAsync(room => Regions.Inbox.PostAsync(tag, message.ToArray(), room), stop).ConfigureAwait(false);
            return message.Length;
        }, cancellationToken), cancellationToken));
    }

    public Task FlushAsync(TransferPeer peer, CancellationToken cancellationToken) => _order.FlushAsync(peer, cancellationToken);

    /// <summary>Stops reads in flight and waits for them.</summary>
    public async ValueTask DisposeAsync() => await _operations.DisposeAsync().ConfigureAwait(false);

    private async Task<long> CopyAllAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, bool writes, CancellationToken cancellationToken)
    {
        using var plan = TransferPlan.Create(Regions, ranges, FrameBytes, FrameRanges);
        if (plan.FrameCount == 0) return 0;
        DeviceAccess.RequireHost(plan.LocalRegions);
        // Off the caller's thread: a large copy must not hold up whoever submits it.
        await Task.Run(() => CopyFrames(plan, peer, token, writes, cancellationToken), cancellationToken).ConfigureAwait(false);
        return plan.Bytes;
    }

    private void CopyFrames(TransferPlan plan, TransferPeer peer, ulong token, bool writes, CancellationToken cancellationToken)
    {
        var sources = new SourceRange[FrameRanges];
        while (plan.TryTakeFrame(out var frame))
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var i = 0; i < frame.Count; i++)
            {
                var range = plan[frame.Start + i];
                sources[i] = new(range.RemoteOffset, range.Length);
            }
            var access = writes ? RegionAccess.PeersWrite : RegionAccess.PeersRead;
            Check(RegionLease.TryOpen(Regions, peer.Incarnation, frame.Remote, access, token, sources.AsSpan(0, frame.Count), out var lease));
            using (lease)
            {
                if (DeviceAccess.RefusalOfProcessor(lease.Kind) is not null) Check(TransferCode.DeviceMemory);
                for (var i = 0; i < frame.Count; i++) Copy(lease.Address, plan[frame.Start + i], writes);
            }
            if (writes) Telemetry.Taken(Name, frame.Bytes);
            else Telemetry.Served(Name, frame.Bytes);
        }
    }

    private async Task NotifyAsync(TransferPeer peer, WriteNotification notification, ulong token, CancellationToken cancellationToken)
    {
        Check(RegionLease.TryOpen(Regions, peer.Incarnation, notification.Region, RegionAccess.PeersWrite, token, [], out var lease));
        lease.Dispose();
        await DeliverAsync(room => Regions.Inbox.PostAsync(new TransferNotification(notification.Region, token, notification.Value), room).AsTask(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for room in the inbox, but not for ever.</summary>
    private async Task DeliverAsync(Func<CancellationToken, Task> post, CancellationToken cancellationToken)
    {
        using var patience = new FrameDeadline(Patience / 2, TimeProvider.System, cancellationToken);
        try { await post(patience.Token).ConfigureAwait(false); }
        catch (OperationCanceledException) when (patience.IsOver) { Check(TransferCode.Busy); }
    }

    private void Check(TransferCode code)
    {
        if (code == TransferCode.Ok) return;
        Telemetry.RefusedRequest(Name, code);
        throw new TransferException(code, RegionLease.Explain(code));
    }

    private static unsafe void Copy(nint address, PlannedRange range, bool writes)
    {
        var remote = (byte*)address + range.RemoteOffset;
        var local = (byte*)range.LocalAddress;
        if (writes) Buffer.MemoryCopy(local, remote, range.Length, range.Length);
        else Buffer.MemoryCopy(remote, local, range.Length, range.Length);
    }
}
