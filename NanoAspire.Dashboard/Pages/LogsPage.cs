using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>Structured logs, newest first; a record's details stand beside the list.</summary>
internal static class LogsPage
{
    private const int Shown = 300;
    private const int MaxFields = 100;
    private static readonly string[] KnownFields = ["message", "category", "level", "resource", "trace.id", "span.id"];
    private static readonly LogSeverity[] Levels = [LogSeverity.Trace, LogSeverity.Debug, LogSeverity.Information, LogSeverity.Warning, LogSeverity.Error, LogSeverity.Critical];

    public static Page Render(DashboardContext context, PageRequest request, string? resource)
    {
        resource ??= request["resource"];
        var all = context.Store.Logs.All();
        var level = Levels.FirstOrDefault(candidate => candidate.ToString().Equals(request["logLevel"], StringComparison.OrdinalIgnoreCase));
        var filters = FieldFilter.Parse(request["filters"]);
        var found = all.Reverse().Where(record => Matches(context, record, resource, level, request, filters)).ToList();
        var selected = long.TryParse(request["log"], out var id) ? all.FirstOrDefault(record => record.Id == id) : null;

        var html = new HtmlWriter();
        Parts.Heading(html, "Structured logs", found.Count == all.Count ? $"{all.Count} kept" : $"{found.Count} of {all.Count}", Parts.ClearButton("logs", "log records"));
        Filters(html, context, request, resource, level);
        FilterEditor.Render(html, request, [.. KnownFields, .. all.TakeLast(Shown).SelectMany(record => record.Attributes).Select(a => a.Key).Distinct().Order(StringComparer.Ordinal).Take(MaxFields)]);
        if (found.Count == 0)
        {
            Parts.Empty(html, all.Count == 0 ? "No logs yet" : "Nothing matches", all.Count == 0 ? "Services send their log records here when they start." : "Try fewer filters.");
            return new Page("Structured logs", "logs", LiveTopics.Logs, html.ToMarkup());
        }
        html.Add($"""
            <div class="split{(selected is null ? "" : " open")}"><div class="table-wrap"><table class="list logs">
            <thead><tr><th scope="col">Resource</th><th scope="col">Level</th><th scope="col">Time</th><th scope="col">Message</th><th scope="col">Trace</th></tr></thead><tbody>
            """);
        foreach (var record in found.Take(Shown)) Row(html, context, request, record, record.Id == selected?.Id);
        html.Add($"</tbody></table></div>");
        if (selected is not null) Panel(html, context, request, selected);
        html.Add($"</div>");
        if (found.Count > Shown) html.Add($"""<p class="note more">The {Shown} newest of {found.Count} are listed.</p>""");
        return new Page("Structured logs", "logs", LiveTopics.Logs, html.ToMarkup());
    }

    private static void Filters(HtmlWriter html, DashboardContext context, PageRequest request, string? resource, LogSeverity level)
    {
        html.Add($"""<form class="filters" method="get" action="/structuredlogs" data-auto>""");
        Parts.SearchBox(html, request, "Message or attribute");
        Parts.ResourceSelect(html, context, resource);
        Parts.Select(html, "logLevel", "Least level", [("", "All levels"), .. Levels.Skip(1).Select(l => (l.ToString(), l == LogSeverity.Critical ? "Critical" : $"{l} and above"))], level == LogSeverity.Unspecified ? null : level.ToString());
        foreach (var hidden in (string[])["filters", "spanId"])
        {
            if (request[hidden] is { } value) html.Add($"""<input type="hidden" name="{hidden}" value="{value}">""");
        }
        if (request["traceId"] is { } trace)
        {
            html.Add($"""
                <input type="hidden" name="traceId" value="{trace}">
                <a class="tag" href="{request.With(("traceId", null), ("spanId", null), ("log", null))}" data-swap title="Remove this filter">trace {trace[..Math.Min(7, trace.Length)]}{Icons.Close}</a>
                """);
        }
        html.Add($"</form>");
    }

    private static void Row(HtmlWriter html, DashboardContext context, PageRequest request, LogRecord record, bool selected)
    {
        var severity = Parts.Severity(record.Severity);
        html.Add($"""
            <tr id="l-{record.Id}" class="{severity}{(selected ? " selected" : "")}"><td>{context.Chip(record.Resource)}</td><td><span class="level {severity}">{record.Severity.ToString()}</span></td>
            <td class="time">{context.TimeOf(Nanoseconds.ToTime(record.Time))}</td>
            <td class="message"><a href="{request.With(("log", selected ? null : $"{record.Id}"))}" data-swap>{(record.Message.Length == 0 ? "(empty)" : record.Message)}</a></td><td class="trace">
            """);
        if (record.TraceId is { } trace) html.Add($"""<a class="mono" href="/traces/detail/{trace}?spanId={record.SpanId}">{trace[..7]}</a>""");
        html.Add($"</td></tr>");
    }

    private static void Panel(HtmlWriter html, DashboardContext context, PageRequest request, LogRecord record)
    {
        html.Add($"""<aside class="panel" aria-label="Log record">""");
        Parts.PanelHead(html, HtmlWriter.Of(title => title.Add($"""<span class="level {Parts.Severity(record.Severity)}">{record.Severity.ToString()}</span> {context.Chip(record.Resource)}""")), request.With(("log", null)));
        html.Add($"""<p class="body">{record.Message}</p>""");
        if (record.Attributes.Text("exception.stacktrace") is { } stack) html.Add($"""<pre class="stack">{stack}</pre>""");
        if (record.TraceId is { } trace) html.Add($"""<p><a class="button" href="/traces/detail/{trace}?spanId={record.SpanId}">{Icons.Traces}Open its trace</a></p>""");
        Parts.Attributes(html, "Attributes", Parts.Pairs(record.Attributes).Where(pair => pair.Key != "exception.stacktrace"));
        Parts.Attributes(html, "Record", [("category", record.Scope), ("time", Nanoseconds.ToTime(record.Time).ToString("o")), ("trace id", record.TraceId ?? "–"), ("span id", record.SpanId ?? "–")]);
        Parts.Attributes(html, "Resource", Parts.Pairs(record.Resource.Attributes), open: false);
        html.Add($"</aside>");
    }

    private static bool Matches(DashboardContext context, LogRecord record, string? resource, LogSeverity level, PageRequest request, IReadOnlyList<FieldFilter> filters) =>
        (level == LogSeverity.Unspecified || record.Severity >= level)
        && (resource is null || record.Resource.Name.Equals(resource, StringComparison.OrdinalIgnoreCase) || context.Store.Resources.DisplayName(record.Resource) == resource)
        && (request["traceId"] is not { } trace || record.TraceId == trace)
        && (request["spanId"] is not { } span || record.SpanId == span)
        && (request["q"] is not { } text || record.Message.Contains(text, StringComparison.OrdinalIgnoreCase) || Array.Exists(record.Attributes, a => a.Value.ToString().Contains(text, StringComparison.OrdinalIgnoreCase)))
        && filters.All(filter => filter.Matches(Field(record, filter.Field)));

    private static string? Field(LogRecord record, string field) => field switch
    {
        "message" => record.Message,
        "category" => record.Scope,
        "level" => record.Severity.ToString(),
        "resource" => record.Resource.Name,
        "trace.id" => record.TraceId,
        "span.id" => record.SpanId,
        _ => record.Attributes.Text(field),
    };
}
