using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma.OneSided;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>The source side: one listener, one task a connection, a bounded number of them.</summary>
internal sealed class TcpServer : IAsyncDisposable
{
    private static readonly TimeSpan AcceptRetry = TimeSpan.FromMilliseconds(100);

    /// <summary>Connections beyond the limit that are told so; the rest is closed without a word.</summary>
    private const int MaxRefusals = 64;

    private readonly RegionRegistry _regions;
    private readonly IReadOnlyList<IOneSidedPath> _paths;
    private readonly TcpTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _connections = [];
    private readonly Task _accepting;

    private TcpServer(Socket listener, RegionRegistry regions, IReadOnlyList<IOneSidedPath> paths, TcpTransportOptions options, TimeProvider time, ILogger logger)
    {
        (_listener, _regions, _paths, _options, _time, _logger) = (listener, regions, paths, options, time, logger);
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = Task.Run(AcceptAsync);
    }

    public IPEndPoint EndPoint { get; }

    public int ConnectionCount { get { lock (_gate) return _connections.Count; } }

    /// <exception cref="TransferException">The address cannot be bound.</exception>
    public static TcpServer Start(RegionRegistry regions, IReadOnlyList<IOneSidedPath> paths, TcpTransportOptions options, TimeProvider time, ILogger logger)
    {
        var listener = new Socket(options.BindAddress.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(options.BindAddress, options.Port));
            listener.Listen(backlog: 128);
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new TransferException(TransferCode.PeerLost, $"cannot listen on {options.BindAddress}:{options.Port}: {e.Message}", e);
        }
        return new(listener, regions, paths, options, time, logger);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        Task[] open;
        lock (_gate) open = [.. _connections];
        await Task.WhenAll(open).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                socket.NoDelay = true;
                KeepAlive(socket);
                Serve(socket);
            }
            catch (Exception e) when (_stop.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of handles, or a connection that died in the backlog: the listener itself is fine.
                _logger.AcceptFailed(e.Message);
                try { await Task.Delay(AcceptRetry, _time, _stop.Token).ConfigureAwait(false); }
                catch (OperationCanceledException) { return; }
            }
        }
    }

    /// <summary>A pin of a writer ends with its connection: a machine that is gone must end it.</summary>
    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 2);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 5);
    }

    private void Serve(Socket socket)
    {
        lock (_gate)
        {
            var busy = _connections.Count >= _options.MaxServedConnections;
            if (busy) _logger.TooManyConnections(_options.MaxServedConnections);
            if (_connections.Count >= _options.MaxServedConnections + MaxRefusals)
            {
                socket.Dispose();
                return;
            }
            var task = Task.Run(() => ServeAsync(socket, busy));
            _connections.Add(task);
            _ = task.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task ServeAsync(Socket socket, bool busy)
    {
        using var connection = new TcpServerConnection(socket, _regions, _paths, _options, _time, _logger);
        await (busy ? connection.RefuseAsync(_stop.Token) : connection.RunAsync(_stop.Token)).ConfigureAwait(false);
    }

    private void Forget(Task task)
    {
        lock (_gate) _connections.Remove(task);
        if (task.Exception is { } error) _logger.ConnectionFailed(error.InnerException!);
    }
}
