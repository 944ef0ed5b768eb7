using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>The list of traces, newest first.</summary>
internal static class TracesPage
{
    private const int Shown = 200;
    private static readonly string[] KnownFields =
    [
        "name", "resource", "status", "kind", "scope", "duration", "trace.id", "span.id", "http.request.method", "http.response.status_code", "url.path", "error.type",
        "gen_ai.request.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "nanoaspire.engine.role", "kv.bytes", "kv.blocks",
    ];

    public static Page Render(DashboardContext context, PageRequest request, string? resource)
    {
        resource ??= request["resource"];
        var all = context.Store.Traces.Summaries();
        var filters = FieldFilter.Parse(request["filters"]);
        var found = all.Where(trace => Matches(context, trace, resource, request, filters)).ToList();
        var longest = found.Take(Shown).Select(trace => trace.Duration.TotalSeconds).DefaultIfEmpty(0).Max();

        var html = new HtmlWriter();
        Parts.Heading(html, "Traces", found.Count == all.Count ? $"{all.Count} kept" : $"{found.Count} of {all.Count}", Parts.ClearButton("traces", "traces"));
        html.Add($"""<form class="filters" method="get" action="/traces" data-auto>""");
        Parts.SearchBox(html, request, "Name, span or trace id");
        Parts.ResourceSelect(html, context, resource);
        Parts.Select(html, "type", "Type", [("", "All types"), .. SpanText.Types.Select(type => (type, TypeName(type)))], request["type"]);
        if (request["filters"] is { } text) html.Add($"""<input type="hidden" name="filters" value="{text}">""");
        html.Add($"""<label class="toggle"><input id="f-errors" type="checkbox" name="errors" value="1"{(request.Flag("errors") ? new Markup(" checked") : Markup.Empty)}><span>Errors only</span></label></form>""");
        FilterEditor.Render(html, request, KnownFields);
        if (found.Count == 0)
        {
            Parts.Empty(html, all.Count == 0 ? "No traces yet" : "Nothing matches", all.Count == 0 ? "Send a request through the router and its trace appears here." : "Try fewer filters.");
            return new Page("Traces", "traces", LiveTopics.Traces, html.ToMarkup());
        }
        html.Add($"""
            <div class="table-wrap"><table class="list traces">
            <thead><tr><th scope="col">Time</th><th scope="col">Name</th><th scope="col">Spans</th><th scope="col" class="dur">Duration</th></tr></thead><tbody>
            """);
        foreach (var trace in found.Take(Shown)) Row(html, context, trace, longest);
        html.Add($"</tbody></table></div>");
        if (found.Count > Shown) html.Add($"""<p class="note more">The {Shown} newest of {found.Count} are listed.</p>""");
        return new Page("Traces", "traces", LiveTopics.Traces, html.ToMarkup());
    }

    public static string TypeName(string type) => type switch { "http" => "HTTP", "genai" => "GenAI", "kv" => "KV transfer", "rpc" => "RPC", "database" => "Database", "messaging" => "Messaging", _ => "Other" };

    private static void Row(HtmlWriter html, DashboardContext context, TraceSummary trace, double longest)
    {
        var width = longest <= 0 ? 0 : Math.Max(0.8, 100 * trace.Duration.TotalSeconds / longest);
        html.Add($"""
            <tr id="t-{trace.TraceId}" data-href="/traces/detail/{trace.TraceId}"><td class="time">{context.TimeOf(Nanoseconds.ToTime(trace.Start))}</td>
            <td class="name"><a href="/traces/detail/{trace.TraceId}"><span class="res {context.ColourOf(trace.Root.Resource.Name)}">{context.Store.Resources.DisplayName(trace.Root.Resource)}</span> {trace.Root.Name}</a><span class="id">{trace.TraceId[..7]}</span></td>
            <td class="chips">
            """);
        foreach (var (resource, spans, errors) in trace.Resources) html.Add($"{context.Chip(resource, spans, errors > 0)}");
        html.Add($"""
            </td><td class="dur"><svg class="mini {(trace.HasError ? "bad" : "")}" aria-hidden="true"><rect width="100%" height="4" rx="2" class="bg"/><rect width="{width:0.##}%" height="4" rx="2"/></svg><span>{Durations.Text(trace.Duration)}</span></td></tr>
            """);
    }

    private static bool Matches(DashboardContext context, TraceSummary trace, string? resource, PageRequest request, IReadOnlyList<FieldFilter> filters)
    {
        if (request.Flag("errors") && !trace.HasError) return false;
        if (resource is not null && !trace.Resources.Any(entry => entry.Resource.Name.Equals(resource, StringComparison.OrdinalIgnoreCase) || context.Store.Resources.DisplayName(entry.Resource) == resource)) return false;
        if (request["q"] is null && request["type"] is null && filters.Count == 0) return true;

        var spans = context.Store.Traces.Spans(trace.TraceId);
        if (request["type"] is { } type && !spans.Any(span => SpanText.TypeOf(span) == type)) return false;
        if (request["q"] is { } text && !trace.TraceId.StartsWith(text, StringComparison.OrdinalIgnoreCase)
            && !spans.Any(span => span.SpanId.Equals(text, StringComparison.OrdinalIgnoreCase) || span.Name.Contains(text, StringComparison.OrdinalIgnoreCase) || span.Resource.Name.Contains(text, StringComparison.OrdinalIgnoreCase)
                || Array.Exists(span.Attributes, a => a.Value.Content is string value && value.Contains(text, StringComparison.OrdinalIgnoreCase)))) return false;
        return filters.All(filter => spans.Any(span => filter.Matches(Field(span, filter.Field))));
    }

    private static string? Field(Span span, string field) => field switch
    {
        "name" => span.Name,
        "resource" => span.Resource.Name,
        "status" => span.Status.ToString(),
        "kind" => span.Kind.ToString(),
        "scope" => span.Scope,
        "trace.id" => span.TraceId,
        "span.id" => span.SpanId,
        "duration" => span.Duration.TotalMilliseconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => span.Attributes.Text(field),
    };
}
