using System.Buffers;
using System.Diagnostics;
using System.Net;
using NanoAspire.Router.Options;

namespace NanoAspire.Router.Relay;

/// <summary>The pooled connections to all engines. Clients' requests carry the W3C trace context; nothing is retried here.</summary>
internal sealed class EngineClient : IDisposable
{
    private readonly HttpMessageInvoker _background;

    public EngineClient(RouterOptions options)
    {
        Invoker = new HttpMessageInvoker(Handler(options, DistributedContextPropagator.Current), disposeHandler: true);
        // Without a propagator there are no spans: a probe belongs to no request, and a release to one that has ended.
        _background = new HttpMessageInvoker(Handler(options, propagator: null), disposeHandler: true);
    }

    /// <summary>For clients' requests.</summary>
    public HttpMessageInvoker Invoker { get; }

    /// <summary>Sends on a client's behalf and returns with the headers; the body is still to be read.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct) => Invoker.SendAsync(request, ct);

    /// <summary>Sends on the router's own behalf: not traced, on connections of its own.</summary>
    public Task<HttpResponseMessage> SendInBackgroundAsync(HttpRequestMessage request, CancellationToken ct) => _background.SendAsync(request, ct);

    /// <summary>Reads a whole body; null when it is longer than allowed.</summary>
    public static async Task<byte[]?> ReadAsync(HttpContent content, int maxBytes, CancellationToken ct)
    {
        if (content.Headers.ContentLength > maxBytes) return null;
        await using var stream = await content.ReadAsStreamAsync(ct);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(content.Headers.ContentLength + 1 ?? 16 << 10, maxBytes));
        try
        {
            var length = 0;
            while (true)
            {
                var read = await stream.ReadAsync(buffer.AsMemory(length), ct);
                if (read == 0) return buffer[..length];
                length += read;
                if (length > maxBytes) return null;
                if (length < buffer.Length) continue;
                var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                buffer.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose()
    {
        Invoker.Dispose();
        _background.Dispose();
    }

    private static SocketsHttpHandler Handler(RouterOptions options, DistributedContextPropagator? propagator) => new()
    {
        ConnectTimeout = options.Deadlines.Connect,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        EnableMultipleHttp2Connections = true,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = propagator,
    };
}
