using System.Runtime.ExceptionServices;
using NanoAspire.Ctrl.Client;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>
/// Regions by name, ours and those of peers. One call at a time tells the control plane of ours, so that what it shows of a name is what was
/// asked for last; waiting for readers of an earlier region holds up nobody.
/// </summary>
public sealed partial class PeerAgent
{
    private readonly Dictionary<string, MemoryRegion> _published = new(StringComparer.Ordinal);
    /// <summary>Names of which the control plane may show something else than it should: a call about them failed.</summary>
    private readonly HashSet<string> _unsettled = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _publishing = new(1, 1);

    /// <summary>Registers memory and tells the control plane. A name that is published already moves to the new memory.</summary>
    /// <param name="name">Unique in this agent, e.g. <c>kv_cache</c>.</param>
    /// <param name="address">Must stay valid until <see cref="UnregisterRegionAsync"/> or the agent's end has completed.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="access">What peers may do.</param>
    /// <param name="readGuard">Asked before every read of a peer; null lets all through.</param>
    /// <param name="writeGuard">Asked before every write; must be there where peers may write.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CtrlException">The control plane was not reached; nothing is registered.</exception>
    /// <exception cref="InvalidOperationException">Too many regions.</exception>
    public async Task<MemoryRegion> RegisterRegionAsync(
        string name, nint address, ulong length, RegionAccess access, IReadGuard? readGuard, IWriteGuard? writeGuard, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.StartsWith("sys.", StringComparison.Ordinal)) throw new ArgumentException("names with sys. are the agent's own", nameof(name));
        MemoryRegion region;
        MemoryRegion? replaced;
        var shown = access != RegionAccess.Local;
        await _publishing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                ThrowIfClosed();
                var known = _published.TryGetValue(name, out replaced);
                if (!known && _published.Count >= _options.MaxRegions)
                    throw new InvalidOperationException($"{_options.MaxRegions} regions are published already");
            }
            region = _transport.Regions.Register(name, address, length, access, readGuard, writeGuard);
            try
            {
                if (shown || replaced is { Access: not RegionAccess.Local }) await TellAsync(name, shown ? region : null, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await _transport.Regions.UnregisterAsync(region, CancellationToken.None).ConfigureAwait(false);
                throw;
            }
            lock (_gate) _published[name] = region;
        }
        finally
        {
            _publishing.Release();
        }
        if (replaced is not null) await _transport.Regions.UnregisterAsync(replaced, cancellationToken).ConfigureAwait(false);
        return region;
    }

    /// <summary>Withdraws a region; completes when no transfer touches its memory any more.</summary>
    /// <returns>False when there is none of that name.</returns>
    /// <exception cref="CtrlException">The control plane still shows it, for the time being; peers are refused all the same.</exception>
    /// <exception cref="OperationCanceledException">The region is withdrawn, but its memory may still be in use.</exception>
    public async Task<bool> UnregisterRegionAsync(string name, CancellationToken cancellationToken)
    {
        Task drained;
        Exception? untold = null;
        await _publishing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            MemoryRegion? region;
            lock (_gate)
            {
                if (!_published.Remove(name, out region)) return false;
            }
            drained = _transport.Regions.UnregisterAsync(region, cancellationToken); // no transfer starts from here on
            if (region.Access != RegionAccess.Local)
            {
                try { await TellAsync(name, region: null, cancellationToken).ConfigureAwait(false); }
                catch (Exception e) when (e is not OperationCanceledException) { untold = e; }
            }
        }
        finally
        {
            _publishing.Release();
        }
        await drained.ConfigureAwait(false);
        if (untold is not null) ExceptionDispatchInfo.Throw(untold);
        return true;
    }

    /// <summary>A region of a connected peer, as it published it in its present incarnation.</summary>
    /// <returns>Null when it has not (yet).</returns>
    /// <exception cref="TransferException"><see cref="TransferCode.PeerLost"/>: not connected.</exception>
    /// <exception cref="CtrlException">It is not known here, and the control plane cannot be asked.</exception>
    public Task<PeerRegion?> FindRegionAsync(string peer, string name, CancellationToken cancellationToken) =>
        FindRegionAsync(Session(peer), name, cancellationToken);

    private async Task<PeerRegion?> FindRegionAsync(PeerSession session, string name, CancellationToken ct)
    {
        if (session.Regions.TryGetValue(name, out var known)) return known;
        var info = await _ctrl.FindMemoryRegionAsync(Alias, session.Record.Alias, name, ct).ConfigureAwait(false);
        if (info is null || RegionKey.Read(info, session.Record.Peer.Incarnation) is not { } region) return null;
        if (session.Regions.Count < _options.MaxRegions) session.Regions[name] = region;
        return region;
    }

    /// <summary>Has the control plane show what is published under the name now.</summary>
    private async Task PublishAsync(string name, CancellationToken ct)
    {
        await _publishing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            MemoryRegion? region;
            lock (_gate) region = _published.GetValueOrDefault(name);
            await TellAsync(name, region is { Access: RegionAccess.Local } ? null : region, ct).ConfigureAwait(false);
        }
        finally
        {
            _publishing.Release();
        }
    }

    /// <summary>Says again what may not have been heard.</summary>
    private async Task SettleAsync(CancellationToken ct)
    {
        string[] names;
        lock (_gate) names = [.. _unsettled];
        foreach (var name in names) await PublishAsync(name, ct).ConfigureAwait(false);
    }

    /// <param name="name">Of the region.</param>
    /// <param name="region">Null: peers see none of that name any more.</param>
    /// <param name="ct">Ends the call.</param>
    private async Task TellAsync(string name, MemoryRegion? region, CancellationToken ct)
    {
        lock (_gate)
        {
            if (_unsettled.Count < _options.MaxRegions) _unsettled.Add(name);
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, _stop.Token);
        try
        {
            await _ctrl.RegisterMemoryRegionAsync(Alias, name, region is null ? RegionKey.Withdrawn : RegionKey.Of(region, Self.Incarnation), stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new ObjectDisposedException(GetType().FullName);
        }
        lock (_gate) _unsettled.Remove(name);
    }

    /// <summary>What is left when the agent ends, once nobody registers any more.</summary>
    private async Task<MemoryRegion[]> TakeRegionsAsync()
    {
        await _publishing.WaitAsync().ConfigureAwait(false);
        MemoryRegion[] regions;
        lock (_gate)
        {
            regions = [.. _published.Values];
            _published.Clear();
        }
        _publishing.Release();
        return regions;
    }

    private RegionId LocalRegion(string name)
    {
        lock (_gate)
        {
            return _published.TryGetValue(name, out var region)
                ? region.Id
                : throw new TransferException(TransferCode.UnknownRegion, $"this agent has no region '{name}'");
        }
    }
}
