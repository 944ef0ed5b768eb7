using Microsoft.AspNetCore.Http.Features;

namespace NanoAspire.Router.Relay;

/// <summary>
/// Comments for a client that waits long for the first byte of its stream, in the queue or for a long prompt, so that nothing on the
/// way takes the connection for dead. The first comment begins the response: what fails later is told as an event.
/// </summary>
internal sealed class KeepAlive : IAsyncDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private static readonly byte[] Comment = ": keep-alive\n\n"u8.ToArray();

    private readonly HttpContext _http;
    private readonly string _requestId;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly ITimer? _timer;
    private bool _ended;

    /// <param name="http">Whose response it is.</param>
    /// <param name="stream">Whether the client asked for a stream; otherwise nothing is ever sent.</param>
    /// <param name="requestId">For the response's header.</param>
    /// <param name="time">Ticks the interval.</param>
    public KeepAlive(HttpContext http, bool stream, string requestId, TimeProvider time)
    {
        (_http, _requestId) = (http, requestId);
        if (stream) _timer = time.CreateTimer(static state => _ = ((KeepAlive)state!).SendAsync(), this, Interval, Interval);
    }

    /// <summary>After this no comment is sent or being sent: the response belongs to the caller.</summary>
    public async ValueTask EndAsync()
    {
        if (_ended) return;
        await _writing.WaitAsync();
        _ended = true;
        _writing.Release();
        if (_timer is not null) await _timer.DisposeAsync();
    }

    public ValueTask DisposeAsync() => EndAsync();

    private async Task SendAsync()
    {
        if (!await _writing.WaitAsync(TimeSpan.Zero)) return;   // the last one is still on its way: a slow client gets no more
        try
        {
            if (_ended) return;
            if (!_http.Response.HasStarted)
            {
                _http.Response.ContentType = "text/event-stream";
                _http.Response.Headers.CacheControl = "no-cache";
                _http.Response.Headers["X-Accel-Buffering"] = "no";
                _http.Response.Headers[RequestIds.Header] = _requestId;
                _http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            }
            await _http.Response.Body.WriteAsync(Comment, _http.RequestAborted);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client has left; the request finds out by itself.
        }
        finally
        {
            _writing.Release();
        }
    }
}
