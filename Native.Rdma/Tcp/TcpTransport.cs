using System.Net;
using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma.Cuda;
using NanoAspire.Native.Rdma.OneSided;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>
/// Transfers over plain TCP: needs nothing installed and, where there is no RDMA device, is the fastest way between two machines.
/// The owner of a region checks every range before it sends or takes it; bytes are received straight into their destination.
/// </summary>
public sealed class TcpTransport : ITransport
{
    private readonly TcpTransportOptions _options;
    private readonly IReadOnlyList<IOneSidedPath> _paths;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TcpConnectionPool _pool;
    private readonly OperationGate _operations = new(typeof(TcpTransport));
    private readonly Lock _gate = new();
    private TcpServer? _server;
    private TransferPeer _listening;

    /// <summary>A reader on this machine that can map memory is told where, also by us.</summary>
    private static readonly IReadOnlyList<IOneSidedPath> Mapped = [new MappedPath(copyThreads: 1)];

    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public TcpTransport(RegionRegistry regions, TcpTransportOptions options, TimeProvider time, ILogger<TcpTransport> logger)
        : this(regions, options, Mapped, time, logger)
    {
    }

    internal TcpTransport(RegionRegistry regions, TcpTransportOptions options, IReadOnlyList<IOneSidedPath> paths, TimeProvider time, ILogger<TcpTransport> logger)
    {
        if (options.Validate().ToArray() is [_, ..] errors) throw new ArgumentException(string.Join("; ", errors), nameof(options));
        (Regions, _options, _paths, _time, _logger) = (regions, options, paths, time, logger);
        _pool = new(options, time);
        Order = new(options.FrameTimeout, time);
    }

    public string Name => "tcp";
    public string Reason => "plain sockets: nothing to install, and faster than UCX over TCP";
    public RegionRegistry Regions { get; }

    /// <summary>What was submitted to each peer.</summary>
    internal PeerOrder Order { get; }

    /// <summary>Connections kept for the next read.</summary>
    internal int IdleConnections => _pool.IdleCount;

    /// <summary>Connections of peers.</summary>
    internal int ServedConnections { get { lock (_gate) return _server?.ConnectionCount ?? 0; } }

    /// <exception cref="TransferException">The address cannot be bound.</exception>
    public TransferPeer Listen()
    {
        lock (_gate)
        {
            _operations.ThrowIfClosed();
            if (_server is not null) return _listening;
            _server = TcpServer.Start(Regions, _paths, _options, _time, _logger);
            _listening = new(Advertise(_server.EndPoint), Regions.Incarnation);
            _logger.Listening(_listening.Address);
            return _listening;
        }
    }

    public Task<long> ReadAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken) =>
        Telemetry.MeasureAsync(Name, "read", Telemetry.BytesOf(ranges), _operations.RunAsync(stop => MoveAsync(peer, ranges, token, writes: false, stop), cancellationToken));

    public Task<long> WriteAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, WriteNotification? notification, CancellationToken cancellationToken) =>
        Order.Track(peer, Telemetry.MeasureAsync(Name, "write", Telemetry.BytesOf(ranges), _operations.RunAsync(async stop =>
        {
            var bytes = await MoveAsync(peer, ranges, token, writes: true, stop).ConfigureAwait(false);
            if (notification is { } value) await NotifyAsync(peer, value, token, stop).ConfigureAwait(false);
            return bytes;
        }, cancellationToken)));

    public Task SendAsync(TransferPeer peer, ulong tag, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        TransferInbox.ThrowIfTooLong(message.Length);
        return Telemetry.MeasureAsync(Name, "send", message.Length, Order.InOrder(peer, () => _operations.RunAsync(async stop =>
        {
            await UseAsync(peer, connection => connection.SendMessageAsync(peer, tag, message, stop), stop).ConfigureAwait(false);
            return message.Length;
        }, cancellationToken), cancellationToken));
    }

    public Task FlushAsync(TransferPeer peer, CancellationToken cancellationToken) => Order.FlushAsync(peer, cancellationToken);

    public void Forget(TransferPeer peer) => _pool.CloseIdle(peer.Address);

    internal Task NotifyAsync(TransferPeer peer, WriteNotification notification, ulong token, CancellationToken cancellationToken) =>
        UseAsync(peer, connection => connection.NotifyAsync(peer, notification.Region, token, notification.Value, cancellationToken), cancellationToken);

    /// <summary>Fails transfers in flight, closes all connections and waits until none is used any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _operations.DisposeAsync().ConfigureAwait(false);
        await _pool.DisposeAsync().ConfigureAwait(false);
        TcpServer? server;
        lock (_gate) (server, _server) = (_server, null);
        if (server is not null) await server.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A read or write of its own, neither measured nor ordered.</summary>
    internal async Task<long> MoveAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, bool writes, CancellationToken cancellationToken)
    {
        using var plan = TransferPlan.Create(Regions, ranges, _options.FrameBytes, TcpWire.MaxFrameRanges);
        if (plan.FrameCount == 0) return 0;
        DeviceAccess.RequireHost(plan.LocalRegions);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        var lanes = new Task[Math.Min(_options.ConnectionsPerRead, plan.FrameCount)];
        for (var i = 0; i < lanes.Length; i++) lanes[i] = RunLaneAsync(plan, peer, token, writes, mayWait: i == 0, stop);
        try
        {
            // All lanes, also after a failure: the destination is free of writers only when none is left.
            await Task.WhenAll(lanes).ConfigureAwait(false);
        }
        catch (Exception) when (lanes.Select(static l => l.Exception?.InnerException).OfType<TransferException>().FirstOrDefault() is { } cause)
        {
            // One lane failed and stopped the others: the failure, not their cancellation, is what happened.
            throw new TransferException(cause.Code, cause.Message, cause);
        }
        return plan.Bytes;
    }

    private async Task RunLaneAsync(TransferPlan plan, TransferPeer peer, ulong token, bool writes, bool mayWait, CancellationTokenSource stop)
    {
        try
        {
            await UseAsync(
                peer,
                connection => writes ? connection.WriteFramesAsync(plan, peer, token, stop.Token) : connection.ReadFramesAsync(plan, peer, token, stop.Token),
                stop.Token, mayWait).ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Lends a connection; does nothing when there is none and it must not wait for one.</summary>
    internal async Task UseAsync(TransferPeer peer, Func<TcpConnection, Task> work, CancellationToken cancellationToken, bool mayWait = true)
    {
        var connection = mayWait
            ? await _pool.RentAsync(peer.Address, cancellationToken).ConfigureAwait(false)
            : await _pool.TryRentAsync(peer.Address, cancellationToken).ConfigureAwait(false);
        if (connection is null) return;
        try
        {
            await work(connection).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _pool.Discard(peer.Address, connection, peerLost: e is TransferException { IsTransient: true });
            throw;
        }
        _pool.Return(peer.Address, connection);
    }

    private string Advertise(IPEndPoint bound)
    {
        var any = bound.Address.Equals(IPAddress.Any) || bound.Address.Equals(IPAddress.IPv6Any);
        var host = _options.AdvertisedHost ?? (any ? Dns.GetHostName() : null);
        return host is null ? bound.ToString() : $"{host}:{bound.Port}";
    }
}
