using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Metrics;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>Every instrument of a process: counters as rates, gauges as values, histograms as percentiles.</summary>
internal static class MetricsPage
{
    private const int MaxLines = 12;

    public static Page Render(DashboardContext context, PageRequest request, string? resource)
    {
        var resources = context.Store.Resources.All().Where(r => context.Store.Metrics.Instruments(r.Key).Count > 0).ToList();
        var html = new HtmlWriter();
        Parts.Heading(html, "Metrics", note: null, resources.Count == 0 ? null : Parts.ClearButton("metrics", "metrics"));
        if (resources.Count == 0)
        {
            Parts.Empty(html, "No metrics yet", "Services export theirs every second.");
            return new Page("Metrics", "metrics", LiveTopics.Metrics, html.ToMarkup());
        }
        resource ??= request["resource"];
        var current = resources.FirstOrDefault(r => context.Store.Resources.DisplayName(r) == resource || r.Name == resource) ?? resources[0];
        var instruments = context.Store.Metrics.Instruments(current.Key);
        var described = instruments.FirstOrDefault(i => i.Name == request["instrument"] && (request["meter"] is null || i.Meter == request["meter"])) ?? Default(instruments);
        var window = new TimeWindow(context, request);

        html.Add($"""<form class="filters" method="get" action="/metrics" data-auto>""");
        Parts.Select(html, "resource", "Resource", resources.Select(r => (context.Store.Resources.DisplayName(r), context.Store.Resources.DisplayName(r))), context.Store.Resources.DisplayName(current));
        Parts.Select(html, "duration", "Time", TimeWindow.Options, window.Name);
        html.Add($"""<input type="hidden" name="meter" value="{described.Meter}"><input type="hidden" name="instrument" value="{described.Name}"></form><div class="metrics">""");
        Tree(html, request, instruments, described, context.Store.Resources.DisplayName(current));
        if (context.Store.Metrics.Instrument(current.Key, described.Meter, described.Name) is { } instrument) Detail(html, instrument, window);
        html.Add($"</div>");
        return new Page("Metrics", "metrics", LiveTopics.Metrics, html.ToMarkup());
    }

    private static InstrumentSnapshot Default(IReadOnlyList<InstrumentSnapshot> instruments) =>
        instruments.FirstOrDefault(i => i.Name is "gen_ai.server.time_to_first_token" or "http.server.request.duration") ?? instruments[0];

    private static void Tree(HtmlWriter html, PageRequest request, IReadOnlyList<InstrumentSnapshot> instruments, InstrumentSnapshot current, string resource)
    {
        html.Add($"""<nav class="tree" aria-label="Instruments">""");
        foreach (var meter in instruments.GroupBy(i => i.Meter))
        {
            html.Add($"""<h2>{meter.Key}</h2><ul>""");
            foreach (var one in meter)
            {
                var mark = one.Name == current.Name && one.Meter == current.Meter ? new Markup(" aria-current=\"true\"") : Markup.Empty;
                html.Add($"""<li><a href="{request.With(("resource", resource), ("meter", one.Meter), ("instrument", one.Name))}" data-swap{mark}>{one.Name}</a></li>""");
            }
            html.Add($"</ul>");
        }
        html.Add($"</nav>");
    }

    private static void Detail(HtmlWriter html, InstrumentSnapshot instrument, TimeWindow window)
    {
        var rate = instrument.Shape == MetricShape.Sum && instrument.IsMonotonic;
        var unit = rate && instrument.Unit.Length > 0 ? instrument.Unit + "/s" : instrument.Unit;
        string Format(double value) => rate && instrument.Unit.Length == 0 ? Quantities.Number(value) + "/s" : Quantities.InUnit(value, unit);

        html.Add($"""<section class="instrument"><h2 class="mono">{instrument.Name}</h2><p class="note">{instrument.Description}{(instrument.Unit.Length > 0 ? $" · {instrument.Unit}" : "")} · {Kind(instrument)}</p>""");
        Chart.Draw(html, "chart", Lines(instrument, window, rate), window.Moments, Format);
        html.Add($"""<div class="table-wrap"><table class="list values"><thead><tr><th scope="col">Labels</th>""");
        if (instrument.Shape == MetricShape.Histogram) html.Add($"""<th scope="col" class="n">Count</th><th scope="col" class="n">P50</th><th scope="col" class="n">P90</th><th scope="col" class="n">P99</th>""");
        else html.Add($"""<th scope="col" class="n">{(rate ? "Total" : "Value")}</th>{(rate ? new Markup("""<th scope="col" class="n">Rate</th>""") : Markup.Empty)}""");
        html.Add($"</tr></thead><tbody>");
        foreach (var series in instrument.Series)
        {
            html.Add($"""<tr><td class="labels">{(series.Attributes.Length == 0 ? "(no labels)" : series.Attributes.Label())}</td>""");
            if (instrument.Shape == MetricShape.Histogram)
            {
                var recorded = MetricMath.Window([series], window.From, window.Now);
                html.Add($"""<td class="n">{Quantities.Number(recorded.Count)}</td>""");
                foreach (var percentile in (double[])[0.5, 0.9, 0.99]) html.Add($"""<td class="n">{(recorded.Percentile(percentile) is { } value ? Format(value) : "–")}</td>""");
            }
            else
            {
                html.Add($"""<td class="n">{Quantities.InUnit(series.Points[^1].Value, instrument.Unit)}</td>""");
                if (rate) html.Add($"""<td class="n">{Format(MetricMath.Increase(series, window.From, window.Now) / window.Length.TotalSeconds)}</td>""");
            }
            html.Add($"</tr>");
        }
        html.Add($"</tbody></table></div></section>");
    }

    private static IReadOnlyList<ChartLine> Lines(InstrumentSnapshot instrument, TimeWindow window, bool rate)
    {
        if (instrument.Shape == MetricShape.Histogram)
        {
            return [.. new[] { (0.5, "P50", "c0"), (0.9, "P90", "c1"), (0.99, "P99", "c2") }
                .Select(p => new ChartLine(p.Item2, p.Item3, MetricMath.Percentiles(instrument.Series, window.Edges, p.Item1)))];
        }
        return [.. instrument.Series.Take(MaxLines).Select((series, i) => new ChartLine(
            series.Attributes.Length == 0 ? instrument.Name : series.Attributes.Label(), $"c{i % Palette.Colours}",
            rate ? MetricMath.Rates([series], window.Edges) : MetricMath.Values([series], window.Edges)))];
    }

    private static string Kind(InstrumentSnapshot instrument) => instrument.Shape switch
    {
        MetricShape.Histogram => "histogram",
        MetricShape.Sum when instrument.IsMonotonic => "counter, shown as rate",
        MetricShape.Sum => "up-down counter",
        _ => "gauge",
    };
}
