namespace NanoAspire.Native.Rdma;

/// <summary>The right of a peer to ranges of a region: the one place where an owner checks what a peer asks for.</summary>
internal readonly struct RegionLease : IDisposable
{
    private readonly MemoryRegion? _region;
    private readonly IDisposable? _pin;

    private RegionLease(MemoryRegion region, IDisposable? pin) => (_region, _pin) = (region, pin);

    public nint Address => _region!.Address;
    public MemoryKind Kind => _region!.Kind;

    /// <summary>Region, incarnation and bounds are checked before the guard sees anything.</summary>
    public static TransferCode TryOpen(
        RegionRegistry registry, ulong incarnation, RegionId id, RegionAccess access, ulong token, ReadOnlySpan<SourceRange> ranges, out RegionLease lease)
    {
        lease = default;
        var found = TryFind(registry, incarnation, id, access, out var region);
        if (region is null) return found;
        foreach (var range in ranges)
            if (!region.Contains(range.Offset, range.Length)) return TransferCode.OutOfRange;
        if (!region.TryPin()) return TransferCode.StaleRegion;

        var granted = false;
        try
        {
            var writes = access == RegionAccess.PeersWrite;
            var pin = writes ? region.WriteGuard!.TryGrant(token, ranges) : region.ReadGuard?.TryPin(token, ranges);
            if (pin is null && (writes || region.ReadGuard is not null)) return TransferCode.TokenRefused;
            lease = new(region, pin);
            granted = true;
            return TransferCode.Ok;
        }
        finally
        {
            if (!granted) region.Unpin();
        }
    }

    /// <summary>Null with the reason, unless it is a region of this incarnation that peers may access so.</summary>
    public static TransferCode TryFind(RegionRegistry registry, ulong incarnation, RegionId id, RegionAccess access, out MemoryRegion? region)
    {
        region = null;
        if (incarnation != registry.Incarnation) return TransferCode.StaleRegion;
        var code = registry.Find(id, out var found);
        if (found is null || (found.Access & access) == 0) return code == TransferCode.Ok ? TransferCode.UnknownRegion : code;
        region = found;
        return code;
    }

    public void Dispose()
    {
        _pin?.Dispose();
        _region?.Unpin();
    }

    public static string Explain(TransferCode code) => code switch
    {
        TransferCode.BadRequest => "the source did not understand the request",
        TransferCode.UnknownRegion => "the source has no such region",
        TransferCode.StaleRegion => "the region is gone: it was unregistered or the source was restarted",
        TransferCode.OutOfRange => "a range reaches beyond its region",
        TransferCode.TokenRefused => "the owner does not grant these ranges (any more): the lease or grant was freed, has expired, or does not cover them",
        TransferCode.LimitExceeded => "the request names more ranges or bytes than allowed",
        TransferCode.Busy => "the peer has no room: it serves as many connections as it may, or its inbox stayed full",
        TransferCode.DeviceMemory => "the region is in the memory of a device: only UCX reaches it",
        _ => $"the source answered {code}",
    };
}
