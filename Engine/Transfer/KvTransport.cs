using System.Globalization;
using NanoAspire.Native.Rdma;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer;

/// <summary>KV blocks over any transport of <c>Native.Rdma</c>: the one place that turns block ids into byte ranges.</summary>
public sealed class KvTransport(ITransport transport) : IKvTransport
{
    private const string RegionName = "kv_cache";

    private readonly Lock _gate = new();
    private readonly Dictionary<IKvMemory, MemoryRegion> _regions = new(ReferenceEqualityComparer.Instance);

    /// <summary>What moves the bytes, for others to use beside the hand-offs. Not theirs to dispose.</summary>
    public ITransport Transport => transport;

    public string Name => transport.Name;
    public string Reason => transport.Reason;
    public IReadOnlyList<TransferPath> Paths => transport.Paths;

    public bool CanRead(KvEndpoint source) => source.Transport == Name || SpeaksTcp(source.Transport) && SpeaksTcp(Name);

    public string PathTo(KvEndpoint source) => TryLocate(source, out var peer, out var region) ? transport.PathTo(peer, region) : Name;

    public KvEndpoint Export(IKvMemory memory, IReadGuard guard)
    {
        var peer = transport.Listen();
        lock (_gate)
        {
            if (_regions.ContainsKey(memory)) throw new InvalidOperationException("the KV memory is exported already, or is in use as a destination");
            var region = _regions[memory] = transport.Regions.Register(RegionName, memory.Address, (ulong)memory.Length, RegionAccess.PeersRead, guard);
            return new()
            {
                Transport = Name,
                Address = peer.Address,
                Region = region.Id.ToString(),
                Incarnation = peer.Incarnation.ToString("x16", CultureInfo.InvariantCulture),
                Length = memory.Length,
            };
        }
    }

    public Task WithdrawAsync(IKvMemory memory, CancellationToken cancellationToken)
    {
        MemoryRegion? region;
        lock (_gate)
        {
            if (!_regions.Remove(memory, out region)) return Task.CompletedTask;
        }
        return transport.Regions.UnregisterAsync(region, cancellationToken);
    }

    public Task<long> ReadAsync(KvEndpoint source, long lease, IReadOnlyList<BlockCopy> blocks, IKvMemory destination, CancellationToken cancellationToken)
    {
        if (blocks.Count == 0) return Task.FromResult(0L);
        if (!CanRead(source))
            throw new TransferException(TransferCode.BadRequest, $"the source offers transport '{source.Transport}', this engine reads by '{Name}'");
        if (!TryLocate(source, out var peer, out var remote))
            throw new TransferException(TransferCode.BadRequest, $"'{source.Region}' of incarnation '{source.Incarnation}' is not a region of this transport");
        var ranges = Ranges(remote, DestinationRegion(destination), blocks, source.Length, destination);
        return transport.ReadAsync(peer, ranges, (ulong)lease, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        MemoryRegion[] regions;
        lock (_gate)
        {
            regions = [.. _regions.Values];
            _regions.Clear();
        }
        await transport.DisposeAsync().ConfigureAwait(false);
        foreach (var region in regions) await transport.Regions.UnregisterAsync(region, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>A block is one contiguous range that holds all layers, on both sides.</summary>
    internal static TransferRange[] Ranges(RegionId remote, RegionId local, IReadOnlyList<BlockCopy> blocks, long sourceBytes, IKvMemory destination)
    {
        var blockBytes = destination.Layout.BlockBytes;
        var sourceBlocks = sourceBytes / blockBytes;
        var ranges = new TransferRange[blocks.Count];
        for (var i = 0; i < ranges.Length; i++)
        {
            var (from, to) = blocks[i];
            if (from < 0 || from >= sourceBlocks) throw new TransferException(TransferCode.OutOfRange, $"source block {from} is outside of {sourceBlocks} blocks");
            if (to < 0 || to >= destination.BlockCount) throw new TransferException(TransferCode.OutOfRange, $"local block {to} is outside of {destination.BlockCount} blocks");
            ranges[i] = new()
            {
                Remote = remote,
                RemoteOffset = (ulong)from * (ulong)blockBytes,
                Local = local,
                LocalOffset = (ulong)to * (ulong)blockBytes,
                Length = (ulong)blockBytes,
            };
        }
        return ranges;
    }

    /// <summary>All but loopback are reached over TCP first, and agree there on what moves the bytes.</summary>
    private static bool SpeaksTcp(string name) => name is "auto" or "shm" or "ucx" or "tcp";

    private static bool TryLocate(KvEndpoint source, out TransferPeer peer, out RegionId region)
    {
        var known = ulong.TryParse(source.Incarnation, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var incarnation);
        peer = new(source.Address, incarnation);
        return RegionId.TryParse(source.Region, out region) && known;
    }

    private RegionId DestinationRegion(IKvMemory memory)
    {
        lock (_gate)
        {
            if (!_regions.TryGetValue(memory, out var region))
            {
                region = _regions[memory] = transport.Regions.Register(RegionName, memory.Address, (ulong)memory.Length, RegionAccess.Local);
            }
            return region.Id;
        }
    }
}
