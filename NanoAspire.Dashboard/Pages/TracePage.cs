using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>One trace as a waterfall; a span's details stand beside it.</summary>
internal static class TracePage
{
    private const int MaxRows = 2000;
    private const double MinWidth = 0.35;

    public static Page Render(DashboardContext context, PageRequest request, string traceId)
    {
        var html = new HtmlWriter();
        var spans = context.Store.Traces.Spans(traceId);
        if (spans.Count == 0)
        {
            Parts.Heading(html, "Trace");
            Parts.Empty(html, "This trace is not here", "It may not have arrived yet, or has made room for newer ones.");
            return new Page("Trace", "traces", LiveTopics.Traces, html.ToMarkup(), StatusCode: 404);
        }
        var tree = TraceTree.Build(spans);
        var logs = context.Store.Logs.All().Where(log => log.TraceId == traceId).ToList();
        var selected = request["spanId"] is { } id ? spans.FirstOrDefault(span => span.SpanId == id) : null;

        Head(html, context, tree, logs.Count);
        html.Add($"""<div class="split{(selected is null ? "" : " open")}"><section class="waterfall" aria-label="Spans">""");
        Ruler(html, tree.Summary.Duration);
        html.Add($"""<ol class="rows">""");
        foreach (var row in tree.Rows.Take(MaxRows)) Row(html, context, request, tree.Summary, row, row.Span == selected, logs);
        html.Add($"</ol>");
        if (tree.Rows.Count > MaxRows) html.Add($"""<p class="note more">The first {MaxRows} of {tree.Rows.Count} spans are drawn.</p>""");
        html.Add($"</section>");
        if (selected is not null) SpanPanel.Render(html, context, request, tree.Summary, selected, logs.Where(log => log.SpanId == selected.SpanId));
        html.Add($"</div>");
        return new Page($"{tree.Summary.Root.Name}", "traces", LiveTopics.Traces | LiveTopics.Logs, html.ToMarkup());
    }

    private static void Head(HtmlWriter html, DashboardContext context, TraceTree tree, int logs)
    {
        var trace = tree.Summary;
        html.Add($"""
            <nav class="crumbs" aria-label="Path"><a href="/traces">Traces</a><span>/</span><span class="mono">{trace.TraceId}</span></nav>
            <div class="heading"><h1><span class="res {context.ColourOf(trace.Root.Resource.Name)}">{context.Store.Resources.DisplayName(trace.Root.Resource)}</span> {trace.Root.Name}</h1>
            <a class="button" href="/structuredlogs?traceId={trace.TraceId}">{Icons.Logs}{logs} {(logs == 1 ? "log" : "logs")}</a></div>
            <dl class="facts-row">
            <div><dt>Started</dt><dd>{context.TimeOf(Nanoseconds.ToTime(trace.Start))}</dd></div>
            <div><dt>Duration</dt><dd>{Durations.Text(trace.Duration)}</dd></div>
            <div><dt>Resources</dt><dd>{trace.Resources.Count}</dd></div>
            <div><dt>Depth</dt><dd>{tree.Depth}</dd></div>
            <div><dt>Spans</dt><dd>{trace.SpanCount}</dd></div>
            <div class="legend"><dt class="sr">Legend</dt><dd>
            """);
        foreach (var (resource, spans, errors) in trace.Resources) html.Add($"{context.Chip(resource, spans, errors > 0)}");
        html.Add($"</dd></div></dl>");
    }

    private static void Ruler(HtmlWriter html, TimeSpan duration)
    {
        html.Add($"""<div class="ruler" aria-hidden="true"><span class="label">Span</span><svg class="ticks">""");
        for (var quarter = 0; quarter <= 4; quarter++)
        {
            var anchor = quarter switch { 0 => "start", 4 => "end", _ => "middle" };
            html.Add($"""<text x="{quarter * 25}%" y="15" text-anchor="{anchor}">{(quarter == 0 ? "0" : Durations.Text(duration * quarter / 4))}</text>""");
        }
        html.Add($"</svg></div>");
    }

    private static void Row(HtmlWriter html, DashboardContext context, PageRequest request, TraceSummary trace, TraceRow row, bool selected, List<LogRecord> logs)
    {
        var span = row.Span;
        var colour = context.ColourOf(span.Resource.Name);
        var detail = SpanText.Detail(span);
        html.Add($"""
            <li id="s-{span.SpanId}" class="row {colour}{(selected ? " selected" : "")}{(span.IsError ? " bad" : "")}" data-depth="{row.Depth}">
            <div class="label d{Math.Min(row.Depth, 16)}">
            """);
        if (row.Children > 0) html.Add($"""<button class="twist" data-twist type="button" aria-expanded="true" title="Collapse">{Icons.Chevron}<span class="sr">Collapse {span.Name}</span></button>""");
        else html.Add($"""<span class="twist"></span>""");
        html.Add($"""
            <a href="{request.With(("spanId", selected ? null : span.SpanId))}" data-swap{(selected ? new Markup(" aria-current=\"true\"") : Markup.Empty)}><span class="nm"><span class="res">{NameIn(context, trace, span.Resource)}</span> {span.Name}</span>
            """);
        if (row.Children == 0 && SpanText.Peer(span, context.ResourceAt) is { } peer) html.Add($"""<span class="peer">→ {peer}</span>""");
        if (detail.Length > 0) html.Add($"""<span class="detail">{detail}</span>""");
        if (span.IsError) html.Add($"""<span class="err-mark" title="{span.StatusMessage ?? "error"}">{Icons.Error}</span>""");
        html.Add($"</a></div>");
        Bar(html, trace, span, logs);
        html.Add($"</li>");
    }

    /// <summary>Without the instance when this trace met only one of that name: the names stand in a narrow column.</summary>
    private static string NameIn(DashboardContext context, TraceSummary trace, TelemetryResource resource) =>
        trace.Resources.Count(entry => entry.Resource.Name == resource.Name) > 1 ? context.Store.Resources.DisplayName(resource) : resource.Name;

    private static void Bar(HtmlWriter html, TraceSummary trace, Span span, List<LogRecord> logs)
    {
        var total = Math.Max(1d, trace.End - trace.Start);
        var left = 100 * (span.Start - trace.Start) / total;
        var width = Math.Max(MinWidth, 100 * (span.End > span.Start ? span.End - span.Start : 0) / total);
        left = Math.Min(left, 100 - MinWidth);
        var end = left + width;
        html.Add($"""<svg class="bar" aria-hidden="true"><rect x="{left:0.###}%" y="9" width="{width:0.###}%" height="14" rx="3"/>""");
        foreach (var log in logs)
        {
            if (log.SpanId != span.SpanId || log.Time < trace.Start) continue;
            var at = Math.Min(100, 100 * (log.Time - trace.Start) / total);
            html.Add($"""<circle class="log {Parts.Severity(log.Severity)}" cx="{at:0.###}%" cy="16" r="3"><title>{log.Message}</title></circle>""");
        }
        var duration = Durations.Text(span.Duration);
        if (end <= 84) html.Add($"""<text x="{end:0.###}%" dx="7" y="20">{duration}</text>""");
        else if (left >= 16) html.Add($"""<text x="{left:0.###}%" dx="-7" y="20" text-anchor="end">{duration}</text>""");
        else html.Add($"""<text class="in" x="{Math.Min(end, 100):0.###}%" dx="-7" y="20" text-anchor="end">{duration}</text>""");
        html.Add($"</svg>");
    }
}
