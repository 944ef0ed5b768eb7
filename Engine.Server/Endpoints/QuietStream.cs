using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace NanoAspire.Engine.Server.Endpoints;

/// <summary>Keeps proxies and clients from giving up on a stream that waits for its next token: a comment now and then, which no client sees.</summary>
internal sealed class QuietStream(HttpResponse response, TimeProvider time, CancellationToken ct) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private static readonly byte[] Comment = ": keep-alive\n\n"u8.ToArray();

    private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(ct);
    private Task? _tick;
    private bool _spoke;

    /// <summary>As <see cref="ChannelReader{T}.WaitToReadAsync"/>.</summary>
    public async ValueTask<bool> WaitToReadAsync<T>(ChannelReader<T> reader)
    {
        _spoke = true;
        var wait = reader.WaitToReadAsync(ct);
        if (wait.IsCompleted) return await wait;
        var ready = wait.AsTask();
        while (true)
        {
            if (_tick is null) (_tick, _spoke) = (Task.Delay(Interval, time, _end.Token), false);   // one timer an interval, not one a token
            if (await Task.WhenAny(ready, _tick) == ready) return await ready;
            ct.ThrowIfCancellationRequested();
            _tick = null;
            if (_spoke) continue;
            await response.Body.WriteAsync(Comment, ct);
            await response.Body.FlushAsync(ct);
        }
    }

    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
    }
}
