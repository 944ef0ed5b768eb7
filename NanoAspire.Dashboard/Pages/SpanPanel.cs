using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>Everything known of one span.</summary>
internal static class SpanPanel
{
    private const int MaxLinks = 20;

    public static void Render(HtmlWriter html, DashboardContext context, PageRequest request, TraceSummary trace, Span span, IEnumerable<LogRecord> logs)
    {
        html.Add($"""<aside class="panel" aria-label="Span {span.Name}">""");
        Parts.PanelHead(html, HtmlWriter.Of(title => title.Add($"""<span class="res {context.ColourOf(span.Resource.Name)}">{context.Store.Resources.DisplayName(span.Resource)}</span> {span.Name}""")), request.With(("spanId", null)));
        if (span.IsError) html.Add($"""<p class="callout bad">{Icons.Error}<span>{(string.IsNullOrEmpty(span.StatusMessage) ? "This span failed." : span.StatusMessage)}</span></p>""");
        var offset = Nanoseconds.ToSpan(span.Start - trace.Start);
        html.Add($"""
            <dl class="facts-row tight"><div><dt>Begins at</dt><dd>{Durations.Text(offset)}</dd></div><div><dt>Duration</dt><dd>{Durations.Text(span.Duration)}</dd></div>
            <div><dt>Kind</dt><dd>{span.Kind.ToString()}</dd></div></dl>
            """);
        Parts.Attributes(html, "Attributes", Parts.Pairs(span.Attributes));
        Events(html, trace, span);
        Links(html, context, "Links", span.Links.Select(link => (link.TraceId, link.SpanId)));
        Links(html, context, "Linked from", Backlinks(context, span));
        Logs(html, context, logs);
        Parts.Attributes(html, "Span", Identity(span));
        Parts.Attributes(html, "Resource", Parts.Pairs(span.Resource.Attributes), open: false);
        html.Add($"</aside>");
    }

    private static IEnumerable<(string Key, string Value)> Identity(Span span)
    {
        yield return ("span id", span.SpanId);
        if (span.ParentId is not null) yield return ("parent id", span.ParentId);
        yield return ("trace id", span.TraceId);
        yield return ("source", span.Scope);
        yield return ("status", span.Status.ToString());
        if (!string.IsNullOrEmpty(span.TraceState)) yield return ("trace state", span.TraceState);
    }

    private static void Events(HtmlWriter html, TraceSummary trace, Span span)
    {
        if (span.Events.Length == 0) return;
        html.Add($"""<details class="facts" id="facts-events" open><summary>Events<b class="num">{span.Events.Length}</b>{Icons.Chevron}</summary>""");
        foreach (var one in span.Events)
        {
            var at = one.Time >= trace.Start ? Durations.Text(Nanoseconds.ToSpan(one.Time - trace.Start)) : "";
            html.Add($"""<div class="event"><p><span class="mono">{at}</span> <b>{one.Name}</b></p><dl>""");
            foreach (var (key, value) in Parts.Pairs(one.Attributes)) html.Add($"""<div><dt>{key}</dt><dd>{value}</dd></div>""");
            html.Add($"</dl></div>");
        }
        html.Add($"</details>");
    }

    private static IEnumerable<(string TraceId, string SpanId)> Backlinks(DashboardContext context, Span span) => context.Store.Traces.AllSpans()
        .Where(other => Array.Exists(other.Links, link => link.SpanId == span.SpanId && link.TraceId == span.TraceId))
        .Select(other => (other.TraceId, other.SpanId));

    private static void Links(HtmlWriter html, DashboardContext context, string title, IEnumerable<(string TraceId, string SpanId)> links)
    {
        var shown = links.Take(MaxLinks).ToList();
        if (shown.Count == 0) return;
        html.Add($"""<details class="facts" open><summary>{title}<b class="num">{shown.Count}</b>{Icons.Chevron}</summary><ul class="linklist">""");
        foreach (var (traceId, spanId) in shown)
        {
            var target = context.Store.Traces.Spans(traceId).FirstOrDefault(span => span.SpanId == spanId);
            if (target is null) html.Add($"""<li class="mono">{traceId[..7]} / {spanId}</li>""");
            else html.Add($"""<li><a href="/traces/detail/{traceId}?spanId={spanId}"><span class="res {context.ColourOf(target.Resource.Name)}">{context.Store.Resources.DisplayName(target.Resource)}</span> {target.Name}</a></li>""");
        }
        html.Add($"</ul></details>");
    }

    private static void Logs(HtmlWriter html, DashboardContext context, IEnumerable<LogRecord> logs)
    {
        var records = logs.ToList();
        if (records.Count == 0) return;
        html.Add($"""<details class="facts" id="facts-logs" open><summary>Logs<b class="num">{records.Count}</b>{Icons.Chevron}</summary><ul class="loglist">""");
        foreach (var record in records) html.Add($"""<li class="{Parts.Severity(record.Severity)}">{context.TimeOf(Nanoseconds.ToTime(record.Time))}<a href="/structuredlogs?traceId={record.TraceId}&amp;log={record.Id}">{record.Message}</a></li>""");
        html.Add($"</ul></details>");
    }
}
