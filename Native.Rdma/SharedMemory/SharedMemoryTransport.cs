using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.SharedMemory;

/// <summary>
/// Reads regions of other processes on this machine through a mapping: one memory copy, the source's processor only answers a
/// few small requests. The TCP connection beside it carries the checks, keeps the ranges pinned at the source while they are
/// copied, and tells when the source is gone. What cannot be mapped is read over that connection, or refused.
/// </summary>
public sealed class SharedMemoryTransport : ITransport
{
    /// <summary>Frames of the TCP transport that one pin covers: it costs two messages, whatever its size.</summary>
    private const int FramesPerPin = 16;
    /// <summary>Read over TCP where that is allowed.</summary>
    private const long SmallRead = 16 << 10;
    /// <summary>Copied between two looks at the cancellation token.</summary>
    private const int PieceBytes = 1 << 20;
    /// <summary>A copy on one more thread pays from here on.</summary>
    private const ulong BytesPerThread = 4 << 20;

    private readonly TcpTransport _tcp;
    private readonly int _pinBytes;
    private readonly bool _tcpFallback;
    private readonly int _copyThreads;
    private readonly ILogger _logger;
    private readonly MappedSourceCache _mappings;
    private readonly OperationGate _operations = new(typeof(SharedMemoryTransport));

    /// <param name="regions">What peers read and transfers write to.</param>
    /// <param name="options">Of the TCP connections.</param>
    /// <param name="tcpFallback">True: regions that cannot be mapped are read over TCP. False: they are refused.</param>
    /// <param name="copyThreads">Threads that copy one read.</param>
    /// <param name="time">Clock of all deadlines.</param>
    /// <param name="loggers">Where the transport logs.</param>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public SharedMemoryTransport(
        RegionRegistry regions, TcpTransportOptions options, bool tcpFallback, int copyThreads, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(copyThreads, 1);
        _tcp = new(regions, options, time, loggers.CreateLogger<TcpTransport>());
        _pinBytes = Math.Min(options.FrameBytes * FramesPerPin, TcpWire.MaxPinnedBytes);
        (_tcpFallback, _copyThreads) = (tcpFallback, copyThreads);
        _logger = loggers.CreateLogger<SharedMemoryTransport>();
        _mappings = new(time, options.IdleTimeout);
    }

    public string Name => "shm";
    public RegionRegistry Regions => _tcp.Regions;

    internal int Mappings => _mappings.Count;
    internal int ServedConnections => _tcp.ServedConnections;

    public string PathTo(TransferPeer peer, RegionId region)
    {
        if (_mappings.Acquire(peer, region) is not { } entry) return _tcpFallback ? _tcp.Name : Name;
        var path = entry.Source is null ? _tcp.Name : Name;
        _mappings.Release(entry);
        return path;
    }

    public TransferPeer Listen()
    {
        _operations.ThrowIfClosed();
        return _tcp.Listen();
    }

    public Task<long> ReadAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken) =>
        Telemetry.MeasureAsync(Name, _operations.RunAsync(stop => ReadAllAsync(peer, ranges, token, stop), cancellationToken));

    public async ValueTask DisposeAsync()
    {
        await _operations.DisposeAsync().ConfigureAwait(false);
        await _mappings.DisposeAsync().ConfigureAwait(false);
        await _tcp.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<long> ReadAllAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken)
    {
        using var plan = ReadPlan.Create(Regions, ranges, _pinBytes, TcpWire.MaxFrameRanges);
        if (plan.FrameCount == 0) return 0;
        var remote = plan[0].Remote;
        if (!plan.IsOfOneRegion)
            throw new TransferException(TransferCode.BadRequest, "one read takes ranges of one source region");

        // Two round trips and a copy, or one round trip with the bytes in it.
        if (_tcpFallback && plan.Bytes <= SmallRead) return await _tcp.ReadAsync(peer, ranges, token, cancellationToken).ConfigureAwait(false);
        try
        {
            if (await TryReadMappedAsync(plan, peer, remote, token, cancellationToken).ConfigureAwait(false)) return plan.Bytes;
        }
        catch (TransferException e) when (e.IsTransient || e.Code is TransferCode.StaleRegion or TransferCode.UnknownRegion)
        {
            _mappings.Drop(peer); // what is gone for its source must not be kept alive by us
            throw;
        }
        return _tcpFallback
            ? await _tcp.ReadAsync(peer, ranges, token, cancellationToken).ConfigureAwait(false)
            : throw new TransferException(TransferCode.NotMappable, $"region {remote} of {peer.Address} cannot be mapped from here");
    }

    /// <returns>False when the region cannot be mapped.</returns>
    private async Task<bool> TryReadMappedAsync(ReadPlan plan, TransferPeer peer, RegionId remote, ulong token, CancellationToken cancellationToken)
    {
        var entry = _mappings.Acquire(peer, remote);
        TcpConnection? connection = null;
        var failure = TransferCode.Ok;
        var healthy = false;
        try
        {
            if (entry is not { Source: null }) connection = await _tcp.Pool.RentAsync(peer.Address, cancellationToken).ConfigureAwait(false);
            entry ??= await MapAsync(connection!, peer, remote, cancellationToken).ConfigureAwait(false);
            if (entry.Source is { } source)
                await connection!.CopyPinnedAsync(plan, peer, token, (frame, stop) => CopyAsync(source, plan, frame, stop), cancellationToken).ConfigureAwait(false);
            healthy = true;
            return entry.Source is not null;
        }
        catch (TransferException e)
        {
            failure = e.Code;
            throw;
        }
        finally
        {
            if (entry is not null) _mappings.Release(entry);
            if (connection is not null && healthy) _tcp.Pool.Return(peer.Address, connection);
            else if (connection is not null) _tcp.Pool.Discard(peer.Address, connection, peerLost: failure is TransferCode.PeerLost or TransferCode.Timeout);
        }
    }

    private async Task<MappedSourceCache.Entry> MapAsync(TcpConnection connection, TransferPeer peer, RegionId region, CancellationToken cancellationToken)
    {
        MappedSource? source = null;
        var reason = "the source does not keep it in shared memory";
        if (await connection.DescribeAsync(peer, region, cancellationToken).ConfigureAwait(false) is { } description)
            source = MappedSource.TryOpen(description, out reason);
        if (source is null) _logger.NotMapped(region, peer.Address, reason ?? "");
        else _logger.Mapped(region, peer.Address, source.Length);
        return _mappings.Add(peer, region, source);
    }

    private Task CopyAsync(MappedSource source, ReadPlan plan, ReadFrame frame, CancellationToken cancellationToken)
    {
        for (var i = frame.Start; i < frame.Start + frame.Count; i++)
        {
            // The source has checked it; but a wrong answer of a peer must not become an access violation here.
            if (plan[i].RemoteOffset > source.Length || plan[i].Length > source.Length - plan[i].RemoteOffset)
                throw new TransferException(TransferCode.OutOfRange, "a range reaches beyond the mapping");
        }
        var threads = (int)Math.Clamp(frame.Bytes / BytesPerThread, 1, (ulong)_copyThreads);
        if (threads == 1) return Task.Run(() => CopyShare(source.Address, plan, frame, 0, 1, cancellationToken), cancellationToken);
        var shares = new Task[threads];
        for (var i = 0; i < threads; i++)
        {
            var share = i;
            // No token: every share must have ended before the frame is given up, whether it had begun or not.
            shares[i] = Task.Run(() => CopyShare(source.Address, plan, frame, share, threads, cancellationToken), CancellationToken.None);
        }
        return Task.WhenAll(shares);
    }

    /// <summary>Copies the bytes of a frame that fall into share <paramref name="share"/> of <paramref name="shares"/> equal ones.</summary>
    private static unsafe void CopyShare(nint source, ReadPlan plan, ReadFrame frame, int share, int shares, CancellationToken cancellationToken)
    {
        var from = frame.Bytes * (ulong)share / (ulong)shares;
        var until = frame.Bytes * (ulong)(share + 1) / (ulong)shares;
        var start = 0ul;
        for (var i = frame.Start; i < frame.Start + frame.Count && start < until; i++)
        {
            var range = plan[i];
            var end = start + range.Length;
            for (var at = Math.Max(from, start); at < Math.Min(until, end);)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var bytes = Math.Min(Math.Min(until, end) - at, PieceBytes);
                var within = at - start;
                Buffer.MemoryCopy((byte*)source + range.RemoteOffset + within, (byte*)range.LocalAddress + within, bytes, bytes);
                at += bytes;
            }
            start = end;
        }
    }
}
