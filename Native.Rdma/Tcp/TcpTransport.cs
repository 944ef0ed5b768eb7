using System.Net;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>
/// Reads over plain TCP: needs nothing installed and, where there is no RDMA device, is the fastest way between two machines.
/// The source checks every range before it sends; bytes are received straight into their destination.
/// </summary>
public sealed class TcpTransport : ITransport
{
    private readonly TcpTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TcpConnectionPool _pool;
    private readonly OperationGate _operations = new(typeof(TcpTransport));
    private readonly Lock _gate = new();
    private TcpServer? _server;
    private TransferPeer _listening;

    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public TcpTransport(RegionRegistry regions, TcpTransportOptions options, TimeProvider time, ILogger<TcpTransport> logger)
    {
        if (options.Validate().ToArray() is [_, ..] errors) throw new ArgumentException(string.Join("; ", errors), nameof(options));
        (Regions, _options, _time, _logger) = (regions, options, time, logger);
        _pool = new(options, time);
    }

    public string Name => "tcp";
    public RegionRegistry Regions { get; }

    /// <summary>Control connections, for transports that move the bytes themselves.</summary>
    internal TcpConnectionPool Pool => _pool;

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
            _server = TcpServer.Start(Regions, _options, _time, _logger);
            _listening = new(Advertise(_server.EndPoint), Regions.Incarnation);
            _logger.Listening(_listening.Address);
            return _listening;
        }
    }

    public Task<long> ReadAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken) =>
        Telemetry.MeasureAsync(Name, _operations.RunAsync(stop => ReadAllAsync(peer, ranges, token, stop), cancellationToken));

    /// <summary>Fails reads in flight, closes all connections and waits until none is used any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _operations.DisposeAsync().ConfigureAwait(false);
        await _pool.DisposeAsync().ConfigureAwait(false);
        TcpServer? server;
        lock (_gate) (server, _server) = (_server, null);
        if (server is not null) await server.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<long> ReadAllAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken)
    {
        using var plan = ReadPlan.Create(Regions, ranges, _options.FrameBytes, TcpWire.MaxFrameRanges);
        if (plan.FrameCount == 0) return 0;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        var lanes = new Task[Math.Min(_options.ConnectionsPerRead, plan.FrameCount)];
        for (var i = 0; i < lanes.Length; i++) lanes[i] = RunLaneAsync(plan, peer, token, mayWait: i == 0, stop);
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

    private async Task RunLaneAsync(ReadPlan plan, TransferPeer peer, ulong token, bool mayWait, CancellationTokenSource stop)
    {
        try
        {
            var connection = mayWait
                ? await _pool.RentAsync(peer.Address, stop.Token).ConfigureAwait(false)
                : await _pool.TryRentAsync(peer.Address, stop.Token).ConfigureAwait(false);
            if (connection is null) return;
            try
            {
                await connection.ReadFramesAsync(plan, peer, token, stop.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                _pool.Discard(peer.Address, connection, peerLost: e is TransferException { IsTransient: true });
                throw;
            }
            _pool.Return(peer.Address, connection);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private string Advertise(IPEndPoint bound)
    {
        var any = bound.Address.Equals(IPAddress.Any) || bound.Address.Equals(IPAddress.IPv6Any);
        var host = _options.AdvertisedHost ?? (any ? Dns.GetHostName() : null);
        return host is null ? bound.ToString() : $"{host}:{bound.Port}";
    }
}
