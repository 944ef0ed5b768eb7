using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace NanoAspire.Hosting.Run;

/// <summary>
/// The stable address in front of replicas. Each connection goes to the running replica with the fewest open ones and stays there;
/// where a replica cannot be reached the next is tried, and a connection is closed only when none can.
/// </summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private const int MaxConnections = 4096;
    private const int BufferBytes = 64 * 1024;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly List<Target> _targets = [];
    private readonly List<Socket> _listeners = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _slots = new(MaxConnections);

    private TcpProxy(int port) => Port = port;

    public int Port { get; }

    /// <summary>Takes over a reserved port.</summary>
    public static TcpProxy Start(string host, PortReservation reservation)
    {
        var proxy = new TcpProxy(reservation.Port);
        reservation.Dispose();
        foreach (var address in LoopbackAddresses.Of(host))
        {
            var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(address, reservation.Port));
            listener.Listen(512);
            proxy._listeners.Add(listener);
            _ = proxy.AcceptAsync(listener);
        }
        return proxy;
    }

    public void Add(int targetPort)
    {
        lock (_lock) _targets.Add(new Target(targetPort));
    }

    public void Remove(int targetPort)
    {
        lock (_lock) _targets.RemoveAll(t => t.Port == targetPort);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        foreach (var listener in _listeners) listener.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                await _slots.WaitAsync(_stopping.Token).ConfigureAwait(false);
                var client = await listener.AcceptAsync(_stopping.Token).ConfigureAwait(false);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // stopped
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            using (client)
            {
                client.NoDelay = true;
                var (target, server) = await ConnectAsync().ConfigureAwait(false);
                if (target is null || server is null) return;
                using (server)
                {
                    try
                    {
                        await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client)).ConfigureAwait(false);
                    }
                    finally
                    {
                        Interlocked.Decrement(ref target.Open);
                    }
                }
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // either side went away; closing both tells the other
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task<(Target? Target, Socket? Server)> ConnectAsync()
    {
        Target[] candidates;
        lock (_lock) candidates = [.. _targets.OrderBy(t => Volatile.Read(ref t.Open))];
        foreach (var target in candidates)
        {
            var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            limit.CancelAfter(ConnectTimeout);
            Interlocked.Increment(ref target.Open);
            try
            {
                await server.ConnectAsync(new IPEndPoint(IPAddress.Loopback, target.Port), limit.Token).ConfigureAwait(false);
                return (target, server);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                Interlocked.Decrement(ref target.Open);
                server.Dispose();
            }
        }
        return (null, null);
    }

    /// <summary>Copies until one side says it has finished, and passes that on: the other direction may still have much to say.</summary>
    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                var read = await from.ReceiveAsync(buffer.AsMemory(), _stopping.Token).ConfigureAwait(false);
                if (read == 0) break;
                for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _stopping.Token).ConfigureAwait(false);
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch
        {
            from.Close(0);
            to.Close(0);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private sealed class Target(int port)
    {
        public readonly int Port = port;
        public int Open;
    }
}
