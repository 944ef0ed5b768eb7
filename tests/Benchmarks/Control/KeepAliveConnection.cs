using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace NanoAspire.Benchmarks.Control;

/// <summary>
/// One HTTP connection that sends finished requests and reads replies by their Content-Length: so cheap that the machine's cores go to
/// the service that is measured.
/// </summary>
internal sealed class KeepAliveConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[16 * 1024];

    public static async Task<KeepAliveConnection> OpenAsync(int port, CancellationToken ct)
    {
        var connection = new KeepAliveConnection();
        await connection._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), ct);
        return connection;
    }

    public static byte[] Request(string path, string json) =>
        Encoding.UTF8.GetBytes($"POST {path} HTTP/1.1\r\nHost: ctrl\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(json)}\r\n\r\n{json}");

    /// <summary>Sends and waits for the whole reply; anything but 200 is an error of the benchmark.</summary>
    public async Task SendAsync(byte[] request, CancellationToken ct)
    {
        await _socket.SendAsync(request, ct);
        int filled = 0, total = int.MaxValue;
        while (filled < total)
        {
            if (filled == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(filled), ct);
            if (read == 0) throw new IOException("the service closed the connection");
            filled += read;
            if (total == int.MaxValue) total = ReplyLength(_buffer.AsSpan(0, filled));
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Bytes of headers and body together, or the largest number while the headers are incomplete.</summary>
    private static int ReplyLength(ReadOnlySpan<byte> received)
    {
        var end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0) return int.MaxValue;
        if (!received.StartsWith("HTTP/1.1 200"u8)) throw new IOException(Encoding.UTF8.GetString(received));
        var at = received.IndexOf("Content-Length: "u8) + "Content-Length: ".Length;
        var digits = received[at..(at + received[at..].IndexOf((byte)'\r'))];
        return end + 4 + int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
