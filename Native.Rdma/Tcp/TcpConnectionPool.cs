namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>Connections of a reader, by peer address: bounded, reused newest first, closed when idle.</summary>
internal sealed class TcpConnectionPool : IAsyncDisposable
{
    private readonly TcpTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Peer> _peers = new(StringComparer.Ordinal);
    private readonly ITimer _sweep;
    private bool _disposed;

    public TcpConnectionPool(TcpTransportOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _sweep = time.CreateTimer(static pool => ((TcpConnectionPool)pool!).CloseIdle(), this, options.IdleTimeout, options.IdleTimeout / 2);
    }

    private sealed class Peer(int limit)
    {
        public SemaphoreSlim Free { get; } = new(limit, limit);
        public Stack<TcpConnection> Idle { get; } = new();
        /// <summary>Reads that hold or wait for a connection.</summary>
        public int Users { get; set; }
    }

    public int IdleCount { get { lock (_gate) return _peers.Values.Sum(static p => p.Idle.Count); } }

    /// <summary>Waits for a free place, then reuses a live connection or opens one.</summary>
    public async Task<TcpConnection> RentAsync(string address, CancellationToken cancellationToken)
    {
        var peer = Enter(address);
        try
        {
            await peer.Free.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Leave(peer);
            throw;
        }
        return await OpenAsync(address, peer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="RentAsync"/>, but null instead of waiting for a place.</summary>
    public async Task<TcpConnection?> TryRentAsync(string address, CancellationToken cancellationToken)
    {
        var peer = Enter(address);
        if (!peer.Free.Wait(0, CancellationToken.None))
        {
            Leave(peer);
            return null;
        }
        return await OpenAsync(address, peer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives a connection back whose last reply was received whole.</summary>
    public void Return(string address, TcpConnection connection)
    {
        connection.IdleSince = _time.GetTimestamp();
        Peer peer;
        bool close;
        lock (_gate)
        {
            peer = _peers[address];
            close = _disposed;
            if (!close) peer.Idle.Push(connection);
        }
        if (close) connection.Dispose();
        peer.Free.Release();
        Leave(peer);
    }

    /// <summary>Closes a connection that failed, and the idle ones to the same peer: they have probably failed as well.</summary>
    public void Discard(string address, TcpConnection connection, bool peerLost)
    {
        connection.Dispose();
        Peer peer;
        TcpConnection[] idle = [];
        lock (_gate)
        {
            peer = _peers[address];
            if (peerLost)
            {
                idle = [.. peer.Idle];
                peer.Idle.Clear();
            }
        }
        foreach (var other in idle) other.Dispose();
        peer.Free.Release();
        Leave(peer);
    }

    /// <summary>Closes the connections to one peer that nobody uses.</summary>
    public void CloseIdle(string address)
    {
        TcpConnection[] idle = [];
        lock (_gate)
        {
            if (_peers.TryGetValue(address, out var peer))
            {
                idle = [.. peer.Idle];
                peer.Idle.Clear();
            }
        }
        foreach (var connection in idle) connection.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _sweep.DisposeAsync().ConfigureAwait(false);
        List<TcpConnection> idle = [];
        lock (_gate)
        {
            _disposed = true;
            foreach (var peer in _peers.Values)
            {
                idle.AddRange(peer.Idle);
                peer.Idle.Clear();
            }
        }
        foreach (var connection in idle) connection.Dispose();
    }

    private async Task<TcpConnection> OpenAsync(string address, Peer peer, CancellationToken cancellationToken)
    {
        try
        {
            while (TakeIdle(peer) is { } idle)
            {
                if (await IsUsableAsync(idle, cancellationToken).ConfigureAwait(false)) return idle;
                idle.Dispose();
            }
            return await TcpConnection.ConnectAsync(address, _options, _time, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            peer.Free.Release();
            Leave(peer);
            throw;
        }
    }

    private static async ValueTask<bool> IsUsableAsync(TcpConnection idle, CancellationToken cancellationToken)
    {
        try
        {
            return await idle.IsUsableAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            idle.Dispose(); // a ping may be under way
            throw;
        }
    }

    private TcpConnection? TakeIdle(Peer peer)
    {
        lock (_gate) return peer.Idle.TryPop(out var connection) ? connection : null;
    }

    private Peer Enter(string address)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(TcpTransport));
            if (!_peers.TryGetValue(address, out var peer)) _peers[address] = peer = new(_options.MaxConnectionsPerPeer);
            peer.Users++;
            return peer;
        }
    }

    private void Leave(Peer peer)
    {
        lock (_gate) peer.Users--;
    }

    private void CloseIdle()
    {
        List<TcpConnection> old = [];
        lock (_gate)
        {
            foreach (var (address, peer) in _peers.ToArray())
            {
                var live = peer.Idle.Where(c => _time.GetElapsedTime(c.IdleSince) < _options.IdleTimeout).Reverse().ToArray();
                old.AddRange(peer.Idle.Except(live));
                peer.Idle.Clear();
                foreach (var connection in live) peer.Idle.Push(connection);
                if (live.Length == 0 && peer.Users == 0 && _peers.Remove(address)) peer.Free.Dispose();
            }
        }
        foreach (var connection in old) connection.Dispose();
    }
}
