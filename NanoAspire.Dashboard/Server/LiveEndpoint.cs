using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Pages;

namespace NanoAspire.Dashboard.Server;

/// <summary>Server-sent events that say what has changed, at most a few times a second.</summary>
internal sealed class LiveEndpoint(ChangeHub changes, TimeProvider time, CancellationToken stopping)
{
    private static readonly TimeSpan LeastGap = TimeSpan.FromMilliseconds(400);

    public void Map(IEndpointRouteBuilder app) => app.MapGet("/live", StreamAsync);

    private async Task StreamAsync(HttpContext http)
    {
        using var until = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        using var subscription = changes.Subscribe();
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.WriteAsync(": connected\n\n", until.Token);
        await http.Response.Body.FlushAsync(until.Token);
        while (true)
        {
            var topics = await subscription.NextAsync(until.Token);
            await http.Response.WriteAsync($"event: changed\ndata: {Layout.Names(topics)}\n\n", until.Token);
            await http.Response.Body.FlushAsync(until.Token);
            await Task.Delay(LeastGap, time, until.Token);
        }
    }
}
