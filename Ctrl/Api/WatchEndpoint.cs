using System.Globalization;
using System.Text;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Api;

/// <summary>
/// Server-sent events that say *that* a registry changed, never what: the watcher lists again. An event's id is the revision, so a
/// reconnecting watcher (<c>Last-Event-ID</c> or <c>after</c>) hears at once whether it missed something.
/// </summary>
internal static class WatchEndpoint
{
    private static readonly byte[] KeepAlive = ": keep-alive\n\n"u8.ToArray();

    public static void MapWatch(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/watch", WatchAsync).DisableHttpMetrics().DisableRequestTracing(); // a stream of hours would drown the request figures

    private static async Task WatchAsync(HttpContext http, CtrlOptions options, ICtrlStore store, WatchSlots slots, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        var scope = http.Request.Query["scope"].ToString();
        var type = http.Request.Query["entity_type"].ToString() is { Length: > 0 } given ? given : Names.Service;
        if (Names.RefuseScope(scope) is { } badScope) { await RefuseAsync(http, 422, $"scope: {badScope}"); return; }
        if (Names.RefuseType(type) is { } badType) { await RefuseAsync(http, 422, $"entity_type: {badType}"); return; }
        if (!options.Tokens.Check(http.Request.Headers.Authorization, scope, write: false).Allowed) { await RefuseAsync(http, 401, "a bearer token is needed"); return; }
        if (!slots.TryEnter()) { await RefuseAsync(http, 503, "too many watchers"); return; }
        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
            await StreamAsync(http, store, scope, type, options, time, ending.Token);
        }
        finally { slots.Leave(); }
    }

    private static async Task StreamAsync(HttpContext http, ICtrlStore store, string scope, string type, CtrlOptions options, TimeProvider time, CancellationToken ct)
    {
        using var changes = store.Subscribe(scope, type);
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        var seen = SeenRevision(http.Request);
        var lastWrite = time.GetTimestamp();
        try
        {
            await http.Response.Body.WriteAsync(KeepAlive, ct);
            await http.Response.Body.FlushAsync(ct);
            while (true)
            {
                if (await RevisionAsync(store, scope, type, ct) is { } revision && revision != seen)
                {
                    seen = revision;
                    var text = string.Create(CultureInfo.InvariantCulture, $"id: {revision}\nevent: revision\ndata: {{\"revision\":{revision}}}\n\n");
                    await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), ct);
                    await http.Response.Body.FlushAsync(ct);
                    lastWrite = time.GetTimestamp();
                }
                else if (time.GetElapsedTime(lastWrite) >= options.WatchKeepAlive)
                {
                    await http.Response.Body.WriteAsync(KeepAlive, ct);
                    await http.Response.Body.FlushAsync(ct);
                    lastWrite = time.GetTimestamp();
                }
                await WaitAsync(changes, options.WatchPoll, time, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
    }

    private static async Task WaitAsync(IChangeSubscription changes, TimeSpan most, TimeProvider time, CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(most, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try { await changes.WaitAsync(either.Token); }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { }
    }

    /// <summary>Null while the store is away: the stream stays open and catches up.</summary>
    private static async Task<long?> RevisionAsync(ICtrlStore store, string scope, string type, CancellationToken ct)
    {
        try { return await store.RevisionAsync(scope, type, ct); }
        catch (StoreUnavailableException) { return null; }
    }

    private static long SeenRevision(HttpRequest request)
    {
        var text = request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } header ? header : request.Query["after"].ToString();
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : -1;
    }

    private static async Task RefuseAsync(HttpContext http, int status, string message)
    {
        var reply = Reply.Error(status, message);
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(reply.Body, http.RequestAborted);
    }
}

/// <summary>Counts open watch streams against the limit.</summary>
internal sealed class WatchSlots(CtrlOptions options)
{
    private int _open;

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _open) > options.MaxWatchers)
        {
            Interlocked.Decrement(ref _open);
            return false;
        }
        Telemetry.Watchers.Add(1);
        return true;
    }

    public void Leave()
    {
        Interlocked.Decrement(ref _open);
        Telemetry.Watchers.Add(-1);
    }
}
