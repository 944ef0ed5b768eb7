namespace NanoAspire.Native.Rdma.Loopback;

/// <summary>Reads between regions of one process: a memory copy, behind the same checks as a remote read.</summary>
public sealed class LoopbackTransport(RegionRegistry? regions = null) : ITransport
{
    /// <summary>Copied between two looks at the cancellation token.</summary>
    private const int FrameBytes = 256 << 10;
    private const int FrameRanges = 256;

    private readonly OperationGate _operations = new(typeof(LoopbackTransport));

    public string Name => "loopback";
    public RegionRegistry Regions { get; } = regions ?? RegionRegistry.Process;

    public TransferPeer Listen() => new(Name, Regions.Incarnation);

    public Task<long> ReadAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken) =>
        Telemetry.MeasureAsync(Name, _operations.RunAsync(stop => CopyAllAsync(peer, ranges, token, stop), cancellationToken));

    /// <summary>Stops reads in flight and waits for them.</summary>
    public async ValueTask DisposeAsync() => await _operations.DisposeAsync().ConfigureAwait(false);

    private async Task<long> CopyAllAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken)
    {
        using var plan = ReadPlan.Create(Regions, ranges, FrameBytes, FrameRanges);
        if (plan.FrameCount == 0) return 0;
        // Off the caller's thread: a large copy must not hold up whoever submits it.
        await Task.Run(() => CopyFrames(plan, peer, token, cancellationToken), cancellationToken).ConfigureAwait(false);
        return plan.Bytes;
    }

    private void CopyFrames(ReadPlan plan, TransferPeer peer, ulong token, CancellationToken cancellationToken)
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
            var code = ReadLease.TryOpen(Regions, peer.Incarnation, frame.Remote, token, sources.AsSpan(0, frame.Count), out var lease);
            if (code != TransferCode.Ok)
            {
                Telemetry.RefusedRequest(Name, code);
                throw new TransferException(code, ReadLease.Explain(code));
            }
            using (lease)
            {
                for (var i = 0; i < frame.Count; i++) Copy(lease.Address, plan[frame.Start + i]);
            }
            Telemetry.Served(Name, frame.Bytes);
        }
    }

    private static unsafe void Copy(nint source, PlannedRange range) =>
        Buffer.MemoryCopy((byte*)source + range.RemoteOffset, (void*)range.LocalAddress, range.Length, range.Length);
}
