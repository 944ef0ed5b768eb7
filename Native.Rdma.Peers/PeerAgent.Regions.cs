using NanoAspire.Ctrl.Client;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Regions by name, ours and those of peers.</summary>
public sealed partial class PeerAgent
{
    private readonly Dictionary<string, MemoryRegion> _published = new(StringComparer.Ordinal);

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
        ThrowIfClosed();
        var region = _transport.Regions.Register(name, address, length, access, readGuard, writeGuard);
        try
        {
            lock (_gate)
            {
                if (_published.Count >= _options.MaxRegions && !_published.ContainsKey(name))
                    throw new InvalidOperationException($"{_options.MaxRegions} regions are published already");
            }
            if (access != RegionAccess.Local) await _ctrl.RegisterMemoryRegionAsync(Alias, name, RegionKey.Of(region, Self.Incarnation), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await _transport.Regions.UnregisterAsync(region, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        MemoryRegion? replaced;
        lock (_gate)
        {
            _published.Remove(name, out replaced);
            _published[name] = region;
        }
        Telemetry.RegionsChanged(1, (long)region.Length);
        if (replaced is not null) await EndRegionAsync(replaced, cancellationToken).ConfigureAwait(false);
        return region;
    }

    /// <summary>Withdraws a region; completes when no transfer touches its memory any more.</summary>
    /// <returns>False when there is none of that name.</returns>
    /// <exception cref="CtrlException">The control plane still shows it; peers are refused all the same.</exception>
    public async Task<bool> UnregisterRegionAsync(string name, CancellationToken cancellationToken)
    {
        MemoryRegion? region;
        lock (_gate)
        {
            if (!_published.Remove(name, out region)) return false;
        }
        await EndRegionAsync(region, cancellationToken).ConfigureAwait(false);
        if (region.Access != RegionAccess.Local) await _ctrl.RegisterMemoryRegionAsync(Alias, name, RegionKey.Withdrawn, cancellationToken).ConfigureAwait(false);
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

    private async Task EndRegionAsync(MemoryRegion region, CancellationToken ct)
    {
        Telemetry.RegionsChanged(-1, -(long)region.Length);
        await _transport.Regions.UnregisterAsync(region, ct).ConfigureAwait(false);
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
