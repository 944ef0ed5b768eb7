using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Api;

/// <summary>
/// Telemetry for tools: <c>GET /api/telemetry/resources|spans|logs|traces|traces/{id}</c> in OTLP JSON, newest last. Parameters:
/// <c>resource, traceId, hasError, severity, limit</c>; <c>follow=true</c> (spans, logs) goes on as one JSON document a line.
/// </summary>
internal sealed class TelemetryApi(TelemetryStore store, TimeProvider time, CancellationToken stopping)
{
    private const int DefaultLimit = 200, MaxLimit = 10_000;
    private static readonly TimeSpan LeastGap = TimeSpan.FromMilliseconds(200);

    public void Map(IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/telemetry");
        group.MapGet("/resources", http => WriteAsync(http, writer => OtlpJsonWriter.Resources(writer, store.Resources)));
        group.MapGet("/spans", http => IsFollowing(http) ? FollowAsync(http, LiveTopics.Traces, Spans, span => span.TraceId + span.SpanId, OtlpJsonWriter.Spans) : RespondAsync(http, Spans(http), "resourceSpans", OtlpJsonWriter.Spans));
        group.MapGet("/logs", http => IsFollowing(http) ? FollowAsync(http, LiveTopics.Logs, Logs, log => log.Id, OtlpJsonWriter.Logs) : RespondAsync(http, Logs(http), "resourceLogs", OtlpJsonWriter.Logs));
        group.MapGet("/traces", http => WriteAsync(http, writer => Traces(http, writer)));
        group.MapGet("/traces/{id}", async http =>
        {
            var spans = store.Traces.Spans((string)http.Request.RouteValues["id"]!);
            if (spans.Count == 0) { http.Response.StatusCode = StatusCodes.Status404NotFound; return; }
            await WriteAsync(http, writer => Envelope(writer, spans.Count, spans.Count, "resourceSpans", () => OtlpJsonWriter.Spans(writer, spans)));
        });
    }

    private List<Span> Spans(HttpContext http) =>
        [.. store.Traces.AllSpans().Where(span => OfResource(http, span.Resource) && OfTrace(http, span.TraceId) && HasError(http, span.IsError)).OrderBy(span => span.Start)];

    private List<LogRecord> Logs(HttpContext http)
    {
        var least = Enum.TryParse<LogSeverity>(http.Request.Query["severity"], ignoreCase: true, out var severity) ? severity : LogSeverity.Unspecified;
        return [.. store.Logs.All().Where(log => OfResource(http, log.Resource) && OfTrace(http, log.TraceId) && log.Severity >= least && HasError(http, log.Severity >= LogSeverity.Error))];
    }

    private void Traces(HttpContext http, Utf8JsonWriter writer)
    {
        var found = store.Traces.Summaries().Where(trace => HasError(http, trace.HasError) && OfTrace(http, trace.TraceId) && trace.Resources.Any(entry => OfResource(http, entry.Resource))).ToList();
        var shown = found.Take(Limit(http)).Reverse().ToList();
        Envelope(writer, found.Count, shown.Count, "resourceSpans", () => OtlpJsonWriter.Spans(writer, [.. shown.SelectMany(trace => store.Traces.Spans(trace.TraceId))]));
    }

    private static Task RespondAsync<T>(HttpContext http, List<T> found, string name, Action<Utf8JsonWriter, IReadOnlyList<T>> write)
    {
        var shown = found.Skip(Math.Max(0, found.Count - Limit(http))).ToList();
        return WriteAsync(http, writer => Envelope(writer, found.Count, shown.Count, name, () => write(writer, shown)));
    }

    /// <summary>What is there, then what comes. Keys already sent are remembered only as far as the store goes back.</summary>
    private async Task FollowAsync<T, TKey>(HttpContext http, LiveTopics topic, Func<HttpContext, List<T>> read, Func<T, TKey> key, Action<Utf8JsonWriter, IReadOnlyList<T>> write)
    {
        using var until = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        using var subscription = store.Changes.Subscribe();
        http.Response.ContentType = "application/x-ndjson";
        var sent = new HashSet<TKey>();
        while (true)
        {
            var found = read(http);
            sent.IntersectWith(found.Select(key));
            var fresh = found.Where(item => sent.Add(key(item))).ToList();
            if (fresh.Count > 0)
            {
                using var line = new MemoryStream();
                await using (var writer = new Utf8JsonWriter(line)) write(writer, fresh);
                line.WriteByte((byte)'\n');
                await http.Response.Body.WriteAsync(line.ToArray(), until.Token);
                await http.Response.Body.FlushAsync(until.Token);
            }
            while (!(await subscription.NextAsync(until.Token)).HasFlag(topic)) { }
            await Task.Delay(LeastGap, time, until.Token);
        }
    }

    private static async Task WriteAsync(HttpContext http, Action<Utf8JsonWriter> write)
    {
        http.Response.ContentType = "application/json";
        using var body = new MemoryStream();
        await using (var writer = new Utf8JsonWriter(body)) write(writer);
        await http.Response.Body.WriteAsync(body.ToArray(), http.RequestAborted);
    }

    private static void Envelope(Utf8JsonWriter writer, int total, int returned, string name, Action items)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("data");
        writer.WritePropertyName(name);
        items();
        writer.WriteEndObject();
        writer.WriteNumber("totalCount", total);
        writer.WriteNumber("returnedCount", returned);
        writer.WriteEndObject();
    }

    private bool OfResource(HttpContext http, TelemetryResource resource) =>
        http.Request.Query["resource"].ToString() is not { Length: > 0 } wanted
        || resource.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase) || store.Resources.DisplayName(resource).Equals(wanted, StringComparison.OrdinalIgnoreCase);

    private static bool OfTrace(HttpContext http, string? traceId) => http.Request.Query["traceId"].ToString() is not { Length: > 0 } wanted || wanted.Equals(traceId, StringComparison.OrdinalIgnoreCase);

    private static bool HasError(HttpContext http, bool actual) => !bool.TryParse(http.Request.Query["hasError"], out var wanted) || wanted == actual;

    private static bool IsFollowing(HttpContext http) => bool.TryParse(http.Request.Query["follow"], out var follow) && follow;

    private static int Limit(HttpContext http) => int.TryParse(http.Request.Query["limit"], out var limit) && limit > 0 ? Math.Min(limit, MaxLimit) : DefaultLimit;
}
