using System.Net;
using System.Net.Sockets;

namespace NanoAspire.Benchmarks.Proxy;

/// <summary>One HTTP connection that reads streams up to their last chunk and does nothing with them.</summary>
internal sealed class StreamConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 << 10];

    public static async Task<StreamConnection> OpenAsync(int port, CancellationToken ct)
    {
        var connection = new StreamConnection();
        await connection._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), ct);
        return connection;
    }

    public async Task RunAsync(byte[] request, CancellationToken ct)
    {
        await _socket.SendAsync(request, ct);
        var (kept, first) = (0, true);
        while (true)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(kept), ct);
            if (read == 0) throw new IOException("the stream ended early");
            var seen = _buffer.AsSpan(0, kept + read);
            if (first && seen.Length >= 12 && !seen.StartsWith("HTTP/1.1 200"u8)) throw new IOException("the stream was refused");
            first = false;
            // The last chunk may arrive in two pieces, so a few bytes are carried over.
            if (seen.EndsWith("\r\n0\r\n\r\n"u8)) return;
            kept = Math.Min(16, seen.Length);
            seen[^kept..].CopyTo(_buffer);
        }
    }

    public void Dispose() => _socket.Dispose();
}
