using System.Net;
using System.Net.Sockets;
using System.Text;

namespace NanoAspire.Benchmarks.Proxy;

/// <summary>An engine that answers at once, on bare sockets: so cheap that what is measured is the way to it.</summary>
internal sealed class MockEngine : IDisposable
{
    private const string Chunk = """data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1,"model":"mock","choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}]}""" + "\n\n";
    private const string Whole = """{"id":"chatcmpl-0","object":"chat.completion","created":1,"model":"mock","choices":[{"index":0,"message":{"role":"assistant","content":"token"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}""";

    private static readonly byte[] Event = Framed(Chunk);
    private static readonly byte[] EventWithToken = Framed(Chunk.Replace("null}]", "null,\"token_ids\":[1234]}]", StringComparison.Ordinal));
    private static readonly byte[] StreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray();
    private static readonly byte[] StreamEnd = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"u8.ToArray();
    private static readonly byte[] Json = Reply("application/json", Whole);
    private static readonly byte[] Models = Reply("application/json", """{"object":"list","data":[{"id":"mock","object":"model"}]}""");
    private static readonly byte[] ModelsWithResume = Reply("application/json", """{"object":"list","data":[{"id":"mock","object":"model","capabilities":["resume"]}]}""");

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _tokens;
    private readonly bool _resumes;

    /// <param name="tokens">Events of a stream, each sent by itself.</param>
    /// <param name="resumes">Whether the engine names each event's token, so that another could go on.</param>
    public MockEngine(int tokens, bool resumes = false)
    {
        _tokens = tokens;
        _resumes = resumes;
        _listener.Start(512);
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private static byte[] Framed(string chunk) => Encoding.ASCII.GetBytes($"{chunk.Length:x}\r\n{chunk}\r\n");

    private static byte[] Reply(string type, string body) =>
        Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\n\r\n{body}");

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The measurement is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var _ = socket;
        socket.NoDelay = true;
        var buffer = new byte[64 << 10];
        try
        {
            while (await ReadAsync(socket, buffer) is { } request)
            {
                if (request.StartsWith("GET", StringComparison.Ordinal)) await socket.SendAsync(_resumes ? ModelsWithResume : Models, _stop.Token);
                else if (!request.Contains("\"stream\":true", StringComparison.Ordinal)) await socket.SendAsync(Json, _stop.Token);
                else
                {
                    await socket.SendAsync(StreamHead, _stop.Token);
                    var chunk = request.Contains("\"resumable\":true", StringComparison.Ordinal) ? EventWithToken : Event;
                    for (var i = 0; i < _tokens; i++) await socket.SendAsync(chunk, _stop.Token);
                    await socket.SendAsync(StreamEnd, _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The other side left.
        }
    }

    /// <summary>One request as text; null when the connection ends.</summary>
    private async Task<string?> ReadAsync(Socket socket, byte[] buffer)
    {
        var filled = 0;
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(filled), _stop.Token);
            if (read == 0) return null;
            filled += read;
            var text = Encoding.ASCII.GetString(buffer, 0, filled);
            var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (head < 0) continue;
            var at = text.IndexOf("content-length:", StringComparison.OrdinalIgnoreCase);
            var length = at < 0 || at > head ? 0 : int.Parse(text.AsSpan(at + 15, text.IndexOf('\r', at) - at - 15), System.Globalization.CultureInfo.InvariantCulture);
            if (filled >= head + 4 + length) return text;
        }
    }
}
