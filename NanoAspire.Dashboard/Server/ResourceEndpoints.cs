using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Pages;
using NanoAspire.Dashboard.Resources;

namespace NanoAspire.Dashboard.Server;

/// <summary>What pages ask of resources: commands, secret values, console lines.</summary>
internal sealed class ResourceEndpoints(DashboardContext context, CancellationToken stopping)
{
    /// <summary>Lines waiting for a slow browser; a resource that writes faster is read slower.</summary>
    private const int Buffered = 1024;
    private const int LinesPerEvent = 200;

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapPost("/resources/{name}/commands/{command}", ExecuteAsync);
        app.MapGet("/resources/{name}/environment/{variable}", RevealAsync);
        app.MapGet("/consolelogs/stream", StreamAsync);
        app.MapGet("/consolelogs/download/{name}", DownloadAsync);
    }

    private async Task ExecuteAsync(HttpContext http)
    {
        var outcome = await context.Resources.ExecuteAsync(Value(http, "name"), Value(http, "command"), http.RequestAborted);
        if (http.Request.Headers.Accept.ToString().Contains("application/json", StringComparison.Ordinal))
        {
            http.Response.StatusCode = outcome.Succeeded ? StatusCodes.Status200OK : StatusCodes.Status409Conflict;
            await http.Response.WriteAsJsonAsync(outcome, ServerJson.Default.CommandOutcome, cancellationToken: http.RequestAborted);
        }
        else http.Response.Redirect("/");
    }

    private async Task RevealAsync(HttpContext http)
    {
        var variable = Find(Value(http, "name"))?.Environment.FirstOrDefault(candidate => candidate.Name == Value(http, "variable"));
        if (variable is null) { http.Response.StatusCode = StatusCodes.Status404NotFound; return; }
        http.Response.ContentType = "text/plain; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.WriteAsync(variable.Value ?? "", http.RequestAborted);
    }

    private async Task StreamAsync(HttpContext http)
    {
        var name = http.Request.Query["name"].ToString();
        using var until = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.WriteAsync(": connected\n\n", until.Token);
        await http.Response.Body.FlushAsync(until.Token);
        await foreach (var lines in BatchesAsync(name.Length == 0 ? null : name, until.Token))
        {
            var html = new HtmlWriter();
            foreach (var (resource, line) in lines) ConsolePage.Line(html, context, name.Length == 0 ? resource : null, line);
            // An event's data cannot hold a line break; the rendering has none to lose.
            await http.Response.WriteAsync($"data: {html.ToString().Replace("\n", "", StringComparison.Ordinal).Replace("\r", "", StringComparison.Ordinal)}\n\n", until.Token);
            await http.Response.Body.FlushAsync(until.Token);
        }
    }

    private async Task DownloadAsync(HttpContext http)
    {
        var name = Value(http, "name");
        if (Find(name) is null) { http.Response.StatusCode = StatusCodes.Status404NotFound; return; }
        http.Response.ContentType = "text/plain; charset=utf-8";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{string.Concat(name.Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))}.log\"";
        // The stream never ends by itself: what is remembered comes at once, so the first pause is its end.
        using var until = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        await using var lines = context.Resources.WatchConsoleAsync(name, until.Token).GetAsyncEnumerator(until.Token);
        var next = lines.MoveNextAsync().AsTask();
        while (await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(250), context.Time, until.Token)) == next && await next)
        {
            await http.Response.WriteAsync(Ansi.Strip(lines.Current.Text) + "\n", until.Token);
            next = lines.MoveNextAsync().AsTask();
        }
        await until.CancelAsync();
        try { await next; }
        catch (OperationCanceledException) { /* the wait for a further line was given up */ }
    }

    /// <summary>Lines as they come, several at once when they come faster than they are sent.</summary>
    private async IAsyncEnumerable<IReadOnlyList<(DashboardResource Resource, ConsoleLine Line)>> BatchesAsync(string? name, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var until = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var channel = Channel.CreateBounded<(DashboardResource, ConsoleLine)>(Buffered);
        var readers = Task.WhenAll(context.Resources.Snapshot().Where(resource => name is null || resource.Name == name).Select(resource => ReadAsync(resource, channel.Writer, until.Token)));
        try
        {
            while (await channel.Reader.WaitToReadAsync(cancellationToken))
            {
                var lines = new List<(DashboardResource, ConsoleLine)>();
                while (lines.Count < LinesPerEvent && channel.Reader.TryRead(out var line)) lines.Add(line);
                yield return lines;
            }
        }
        finally
        {
            await until.CancelAsync();
            await readers;
        }
    }

    private async Task ReadAsync(DashboardResource resource, ChannelWriter<(DashboardResource, ConsoleLine)> into, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var line in context.Resources.WatchConsoleAsync(resource.Name, cancellationToken)) await into.WriteAsync((resource, line), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The page was closed.
        }
    }

    private DashboardResource? Find(string name) => context.Resources.Snapshot().FirstOrDefault(resource => resource.Name == name);

    private static string Value(HttpContext http, string name) => (string)http.Request.RouteValues[name]!;
}
