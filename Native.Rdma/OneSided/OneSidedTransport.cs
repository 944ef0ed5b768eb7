using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma.Cuda;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.OneSided;

/// <summary>
/// Moves bytes by one-sided paths: the owner's processor only answers a few small requests. The TCP connection beside them
/// carries the checks, keeps the ranges pinned at the owner while they are copied, and tells when the owner is gone. What no path
/// reaches goes over that connection, or is refused.
/// </summary>
public abstract class OneSidedTransport : ITransport
{
    /// <summary>Frames of the TCP transport that one pin covers: it costs two messages, whatever its size.</summary>
    private const int FramesPerPin = 16;
    /// <summary>Goes over TCP where that is allowed: one round trip with the bytes in it, or two and a copy.</summary>
    private const long SmallTransfer = 16 << 10;
    private readonly TcpTransport _tcp;
    private readonly TcpTransportOptions _options;
    private readonly int _pinBytes;
    private readonly IReadOnlyList<IOneSidedPath> _paths;
    private readonly bool _tcpFallback;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RemoteMemoryCache _memories;
    private readonly OperationGate _operations;

    private protected OneSidedTransport(
        string name, string reason, IReadOnlyList<IOneSidedPath> paths, bool tcpFallback,
        RegionRegistry regions, TcpTransportOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        (Name, Reason, _paths, _tcpFallback, _options, _time) = (name, reason, paths, tcpFallback, options, time);
        _operations = new(GetType());
        _tcp = new(regions, options, paths, time, loggers.CreateLogger<TcpTransport>());
        _pinBytes = Math.Min(options.FrameBytes * FramesPerPin, TcpWire.MaxPinnedBytes);
        _logger = loggers.CreateLogger(GetType());
        _memories = new(time, options.IdleTimeout);
    }

    public string Name { get; }
    public string Reason { get; }
    public RegionRegistry Regions => _tcp.Regions;
    public IReadOnlyList<TransferPath> Paths => _memories.Choices();

    /// <summary>How long a copy may take while the owner stands still; a copy that needs the owner takes for ever.</summary>
    internal TimeSpan ProofPatience { get; init; } = TimeSpan.FromSeconds(5);

    internal int Mappings => _memories.Count;
    internal int ServedConnections => _tcp.ServedConnections;

    public string PathTo(TransferPeer peer, RegionId region)
    {
        if (_memories.Acquire(peer, region, writes: false) is not { } entry) return _tcpFallback ? _tcp.Name : Name;
        var path = entry.Choice.Path;
        _memories.Release(entry);
        return path;
    }

    public TransferPeer Listen()
    {
        _operations.ThrowIfClosed();
        return _tcp.Listen();
    }

    public Task<long> ReadAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken) =>
        Telemetry.MeasureAsync(Name, "read", Telemetry.BytesOf(ranges), _operations.RunAsync(stop => MoveAsync(peer, ranges, token, writes: false, stop), cancellationToken));

    public Task<long> WriteAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, WriteNotification? notification, CancellationToken cancellationToken) =>
        _tcp.Order.Track(peer, Telemetry.MeasureAsync(Name, "write", Telemetry.BytesOf(ranges), _operations.RunAsync(async stop =>
        {
            var bytes = await MoveAsync(peer, ranges, token, writes: true, stop).ConfigureAwait(false);
            if (notification is { } value) await _tcp.NotifyAsync(peer, value, token, stop).ConfigureAwait(false);
            return bytes;
        }, cancellationToken)));

    public Task SendAsync(TransferPeer peer, ulong tag, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        _tcp.SendAsync(peer, tag, message, cancellationToken);

    public Task FlushAsync(TransferPeer peer, CancellationToken cancellationToken) => _tcp.FlushAsync(peer, cancellationToken);

    public void Forget(TransferPeer peer)
    {
        _memories.Drop(peer);
        _tcp.Forget(peer);
    }

    public async ValueTask DisposeAsync()
    {
        await _operations.DisposeAsync().ConfigureAwait(false);
        await _memories.DisposeAsync().ConfigureAwait(false);
        await _tcp.DisposeAsync().ConfigureAwait(false);
        foreach (var path in _paths) await path.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    private async Task<long> MoveAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, bool writes, CancellationToken cancellationToken)
    {
        using var plan = TransferPlan.CreateInSourceOrder(Regions, ranges, writes, _pinBytes, TcpWire.MaxPinRanges);
        if (plan.FrameCount == 0) return 0;
        if (!plan.IsOfOneRegion) return await MoveByRegionAsync(peer, ranges, token, writes, cancellationToken).ConfigureAwait(false);
        var remote = plan[0].Remote;

        if (_tcpFallback && plan.Bytes <= SmallTransfer && plan.LocalRegions.All(static r => DeviceAccess.RefusalOfProcessor(r.Kind) is null))
        {
            try { return await _tcp.MoveAsync(peer, ranges, token, writes, cancellationToken).ConfigureAwait(false); }
            catch (TransferException e) when (e.Code == TransferCode.DeviceMemory) { } // the other side's: a path may reach it
        }
        try
        {
            if (await TryMoveAsync(plan, peer, remote, token, writes, cancellationToken).ConfigureAwait(false)) return plan.Bytes;
        }
        catch (TransferException e) when (e.IsTransient || e.Code is TransferCode.StaleRegion or TransferCode.UnknownRegion)
        {
            _memories.Drop(peer); // what is gone for its owner must not be kept alive by us
            throw;
        }
        return _tcpFallback
            ? await _tcp.MoveAsync(peer, ranges, token, writes, cancellationToken).ConfigureAwait(false)
            : throw new TransferException(TransferCode.NotMappable, $"region {remote} of {peer.Address} cannot be reached by {Name}: {Why(peer, remote, writes)}");
    }

    /// <summary>One region after the other: each has a path of its own.</summary>
    private async Task<long> MoveByRegionAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, bool writes, CancellationToken cancellationToken)
    {
        var bytes = 0L;
        foreach (var ofRegion in ranges.GroupBy(static range => range.Remote))
            bytes += await MoveAsync(peer, [.. ofRegion], token, writes, cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    /// <returns>False when no path reaches the region.</returns>
    private async Task<bool> TryMoveAsync(TransferPlan plan, TransferPeer peer, RegionId remote, ulong token, bool writes, CancellationToken cancellationToken)
    {
        var entry = _memories.Acquire(peer, remote, writes)
            ?? await _memories.OpenAsync(peer, remote, writes, () => OpenAsync(peer, remote, writes, cancellationToken), cancellationToken).ConfigureAwait(false);
        try
        {
            if (entry.Memory is not { } memory) return false;
            var pin = writes ? TcpOp.PinToWrite : TcpOp.Pin;
            await _tcp.UseAsync(peer, connection => connection.CopyPinnedAsync(
                plan, peer, pin, token, (frame, stop) => CopyAsync(entry, peer, plan, frame, writes, stop), memory.Overlaps, cancellationToken), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (NotOneSidedException e)
        {
            _memories.Release(Remember(peer, remote, writes, memory: null, Fallback, e.Message));
            return false;
        }
        finally
        {
            _memories.Release(entry);
        }
    }

    /// <summary>By the first path that reaches the region, or by none; remembered either way.</summary>
    private async Task<RemoteMemoryCache.Entry> OpenAsync(TransferPeer peer, RegionId region, bool writes, CancellationToken cancellationToken)
    {
        List<string> refusals = [];
        foreach (var path in _paths)
        {
            byte[]? description = null;
            await _tcp.UseAsync(peer, async connection => description = await connection.DescribeAsync(peer, region, path.Kind, writes, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            if (description is null)
            {
                refusals.Add($"{path.Name}: the source does not offer it for this memory");
                continue;
            }
            var (memory, reason) = await path.OpenAsync(description, writes, cancellationToken).ConfigureAwait(false);
            if (memory is not null)
            {
                refusals.Add(reason);
                return Remember(peer, region, writes, memory, path.Name, string.Join("; ", refusals));
            }
            refusals.Add($"{path.Name}: {reason}");
        }
        return Remember(peer, region, writes, memory: null, Fallback, string.Join("; ", refusals));
    }

    /// <summary>What memory that no path reaches goes by.</summary>
    private string Fallback => _tcpFallback ? _tcp.Name : "none";

    private RemoteMemoryCache.Entry Remember(TransferPeer peer, RegionId region, bool writes, IRemoteMemory? memory, string path, string reason)
    {
        var choice = new TransferPath(peer.Address, region, writes ? "write" : "read", path, reason);
        _logger.Chosen(region, peer.Address, path, choice.Access, reason);
        Telemetry.PathChosen(Name, path);
        if (memory is not null) return _memories.Add(peer, region, writes, memory, choice);
        return _memories.Refuse(peer, region, writes, choice);
    }

    private string Why(TransferPeer peer, RegionId region, bool writes)
    {
        if (_memories.Acquire(peer, region, writes) is not { } entry) return "it is gone";
        _memories.Release(entry);
        return entry.Choice.Reason;
    }

    private async Task CopyAsync(RemoteMemoryCache.Entry entry, TransferPeer peer, TransferPlan plan, TransferFrame frame, bool writes, CancellationToken cancellationToken)
    {
        var memory = entry.Memory!;
        foreach (var region in plan.LocalRegions)
            if (memory.Refuses(region.Kind) is { } reason) throw new TransferException(TransferCode.DeviceMemory, $"region '{region.Name}': {reason}");
        foreach (ref readonly var range in plan.Slice(frame.Start, frame.Count))
        {
            // The owner has checked it; but a wrong answer of a peer must not become an access violation here.
            if (range.RemoteOffset > memory.Length || range.Length > memory.Length - range.RemoteOffset)
                throw new TransferException(TransferCode.OutOfRange, "a range reaches beyond the region");
        }
        if (entry.Proven)
        {
            await memory.CopyAsync(plan, frame, writes, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            // A connection is made by both sides: one that is not there yet would look as if copies needed the owner.
            await memory.ConnectAsync(cancellationToken).ConfigureAwait(false);
            await ProveAsync(entry, peer, () => memory.CopyAsync(plan, frame, writes, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Copies while the owner's worker stands still. What then does not arrive is imitated by the owner's processor: that we do not use.</summary>
    /// <exception cref="NotOneSidedException">It did not arrive until the worker went on.</exception>
    private async Task ProveAsync(RemoteMemoryCache.Entry entry, TransferPeer peer, Func<Task> copy, CancellationToken cancellationToken)
    {
        await entry.Proving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (entry.Proven)
            {
                await copy().ConfigureAwait(false);
                return;
            }
            var kind = _paths.First(p => p.Name == entry.Choice.Path).Kind;
            // One of its own: those of the pool may all be held by transfers that wait for this proof.
            using var control = await TcpConnection.ConnectAsync(peer.Address, _options, _time, cancellationToken).ConfigureAwait(false);
            await control.HoldAsync(peer, kind, hold: true, cancellationToken).ConfigureAwait(false);
            var copying = copy();
            var patience = TimeSpan.FromTicks(Math.Min(ProofPatience.Ticks, _options.FrameTimeout.Ticks / 2)); // the frame's deadline must not come first
            var oneSided = await Task.WhenAny(copying, Task.Delay(patience, _time, cancellationToken)).ConfigureAwait(false) == copying;
            try { await control.HoldAsync(peer, kind, hold: false, cancellationToken).ConfigureAwait(false); }
            finally { await copying.ConfigureAwait(false); }
            entry.Proven = oneSided;
            if (!oneSided) throw new NotOneSidedException("UCX imitates one-sided transfers of this memory with the owner's processor");
        }
        finally
        {
            entry.Proving.Release();
        }
    }

    private sealed class NotOneSidedException(string message) : Exception(message);
}
