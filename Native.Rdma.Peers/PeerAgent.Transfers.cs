namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Transfers between named regions.</summary>
public sealed partial class PeerAgent
{
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;

    /// <summary>Reads ranges of a peer's regions into ours; completes and fails as <see cref="ITransport.ReadAsync"/> does.</summary>
    /// <param name="peer">Alias of a connected peer.</param>
    /// <param name="ranges">What to read.</param>
    /// <param name="token">Shown to the read guards of the source regions.</param>
    /// <param name="cancellationToken">Stops the read.</param>
    /// <returns>Bytes read.</returns>
    /// <exception cref="TransferException"><see cref="TransferCode.PeerLost"/> also when the peer is not connected, was restarted or vanishes meanwhile;
    /// <see cref="TransferCode.UnknownRegion"/> when a region is not published.</exception>
    public Task<long> ReadAsync(string peer, IReadOnlyList<PeerRange> ranges, ulong token, CancellationToken cancellationToken) =>
        SubmitAsync(peer, "read", ranges.Count, Total(ranges.Select(static r => r.Length)), session => MoveAsync(
            session, ranges, writes: false, (part, stop) => _transport.ReadAsync(session.Record.Peer, part, token, stop), cancellationToken));

    /// <summary>Writes ranges of our regions into those of a peer; completes and fails as <see cref="ITransport.WriteAsync"/> does.</summary>
    /// <param name="peer">Alias of a connected peer.</param>
    /// <param name="ranges">What to write.</param>
    /// <param name="token">Shown to the write guards of the remote regions.</param>
    /// <param name="notification">Name of a remote region, and a value that its owner gets once all the data is there.</param>
    /// <param name="cancellationToken">Stops the write.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="TransferException">As for <see cref="ReadAsync"/>.</exception>
    public Task<long> WriteAsync(string peer, IReadOnlyList<PeerRange> ranges, ulong token, (string Region, ulong Value)? notification, CancellationToken cancellationToken) =>
        SubmitAsync(peer, notification is null ? "write" : "write_with_imm", ranges.Count, Total(ranges.Select(static r => r.Length)), async session =>
        {
            var bytes = await MoveAsync(session, ranges, writes: true, (part, stop) => _transport.WriteAsync(session.Record.Peer, part, token, notification: null, stop), cancellationToken).ConfigureAwait(false);
            if (notification is not { } notice) return bytes;
            var region = await RequireAsync(session, notice.Region, cancellationToken).ConfigureAwait(false);
            await GuardAsync(session, stop => _transport.WriteAsync(session.Record.Peer, [], token, new WriteNotification(region.Id, notice.Value), stop), cancellationToken).ConfigureAwait(false);
            return bytes;
        });

    private Task<long> SubmitAsync(string peer, string operation, int ranges, long bytes, Func<PeerSession, Task<long>> work) =>
        RunAsync(() => _counters.MeasureAsync(operation, ranges, bytes, async () => await work(Session(peer)).ConfigureAwait(false)));

    /// <summary>Keeps the agent's end waiting for <paramref name="work"/>.</summary>
    private async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        lock (_gate)
        {
            ThrowIfClosed();
            _running++;
        }
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                if (--_running == 0 && _closed) _idle.TrySetResult();
            }
        }
    }

    private async Task<long> MoveAsync(
        PeerSession session, IReadOnlyList<PeerRange> ranges, bool writes, Func<IReadOnlyList<TransferRange>, CancellationToken, Task<long>> move, CancellationToken ct)
    {
        long bytes = 0;
        foreach (var part in ranges.Where(static r => r.Length > 0).GroupBy(static r => r.Remote, StringComparer.Ordinal))
        {
            var region = await RequireAsync(session, part.Key, ct).ConfigureAwait(false);
            try
            {
                bytes += await MovePartAsync(session, region, Resolve(part, region), writes, move, ct).ConfigureAwait(false);
            }
            catch (TransferException e) when (e.Code is TransferCode.StaleRegion or TransferCode.UnknownRegion)
            {
                // Published anew since we asked? Then once more; the owner refused before it let a byte through.
                session.Regions.TryRemove(part.Key, out _);
                var now = await RequireAsync(session, part.Key, ct).ConfigureAwait(false);
                if (now.Id == region.Id) throw;
                bytes += await MovePartAsync(session, now, Resolve(part, now), writes, move, ct).ConfigureAwait(false);
            }
        }
        return bytes;
    }

    private async Task<long> MovePartAsync(
        PeerSession session, PeerRegion region, TransferRange[] ranges, bool writes, Func<IReadOnlyList<TransferRange>, CancellationToken, Task<long>> move, CancellationToken ct)
    {
        var succeeded = false;
        try
        {
            var bytes = await GuardAsync(session, stop => move(ranges, stop), ct).ConfigureAwait(false);
            succeeded = true;
            return bytes;
        }
        finally
        {
            _counters.Went(PathTo(session.Record.Peer, region.Id, writes), ranges.Length, Total(ranges.Select(static r => r.Length)), succeeded);
        }
    }

    private string PathTo(TransferPeer peer, RegionId region, bool writes) =>
        (writes ? _transport.Paths.FirstOrDefault(p => p.Access == "write" && p.Region == region && p.Peer == peer.Address)?.Path : null) ?? _transport.PathTo(peer, region);

    private TransferRange[] Resolve(IEnumerable<PeerRange> ranges, PeerRegion region) =>
    [
        .. ranges.Select(r => new TransferRange
        {
            Remote = region.Id, RemoteOffset = r.RemoteOffset, Local = LocalRegion(r.Local), LocalOffset = r.LocalOffset, Length = r.Length,
        }),
    ];

    private async Task<PeerRegion> RequireAsync(PeerSession session, string name, CancellationToken ct) =>
        await FindRegionAsync(session, name, ct).ConfigureAwait(false)
        ?? throw new TransferException(TransferCode.UnknownRegion, $"'{session.Record.Alias}' has not published a region '{name}'");

    /// <summary>Ends the transfer when this incarnation of the peer is gone.</summary>
    private static async Task<long> GuardAsync(PeerSession session, Func<CancellationToken, Task<long>> work, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, session.Gone.Token);
        try
        {
            return await work(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested && session.Gone.IsCancellationRequested)
        {
            throw new TransferException(TransferCode.PeerLost, $"'{session.Record.Alias}' is gone, or not wanted any more", e);
        }
    }

    private PeerSession Session(string peer)
    {
        lock (_gate)
        {
            if (_links.TryGetValue(peer, out var link) && link is { State: PeerState.Connected, Session: { } session }) return session;
            throw new TransferException(TransferCode.PeerLost, $"'{peer}' is not connected: {Standing(peer)}");
        }
    }

    /// <summary>For counting: no length that can be moved is larger than what is counted of one.</summary>
    private static long Total(IEnumerable<ulong> lengths) => lengths.Aggregate(0L, static (sum, length) => sum + (long)Math.Min(length, 1UL << 48));
}
