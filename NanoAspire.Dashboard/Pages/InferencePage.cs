using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Metrics;
using NanoAspire.Dashboard.Resources;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>How the engines do: load, cache, speed and latency by role, and what moves between them.</summary>
internal static class InferencePage
{
    public static Page Render(DashboardContext context, PageRequest request)
    {
        var window = new TimeWindow(context, request);
        var model = InferenceModel.Read(context, window);
        var html = new HtmlWriter();
        html.Add($"""<div class="heading"><h1>Inference</h1><form class="filters" method="get" action="/inference" data-auto>""");
        Parts.Select(html, "duration", "Time", TimeWindow.Options, window.Name);
        html.Add($"</form></div>");
        if (model.Engines.Count == 0)
        {
            Parts.Empty(html, "No engine reports yet", "Engines appear here a second after they have loaded their model.");
            return new Page("Inference", "inference", LiveTopics.Metrics | LiveTopics.Resources, html.ToMarkup());
        }
        Tiles(html, model, window);
        html.Add($"""<h2 class="section">Engines<b class="num">{model.Engines.Count}</b></h2><div class="engines">""");
        foreach (var engine in model.Engines) Card(html, context, engine);
        html.Add($"</div>");
        Links(html, model);
        return new Page("Inference", "inference", LiveTopics.Metrics | LiveTopics.Resources | LiveTopics.Traces, html.ToMarkup());
    }

    private static string RoleName(string role) => role switch { "prefill" => "Prefill", "decode" => "Decode", "encoder" => "Vision encoder", _ => "Hybrid" };

    private static void Tiles(HtmlWriter html, InferenceModel model, TimeWindow window)
    {
        var first = MetricMath.Window(model.FirstToken, window.From, window.Now);
        var gap = MetricMath.Window(model.TokenGap, window.From, window.Now);
        var output = model.OutputTokens.Sum(series => MetricMath.Increase(series, window.From, window.Now)) / window.Length.TotalSeconds;
        var hit = InferenceModel.HitRateOf(model.HitTokens, model.PromptTokens, window.From, window.Now);
        var prompts = model.PromptTokens.Sum(series => MetricMath.Increase(series, window.From, window.Now)) / window.Length.TotalSeconds;
        var (blocks, inUse) = (model.Engines.Sum(e => e.Blocks), model.Engines.Sum(e => e.Used + e.Parked));

        html.Add($"""<section class="tiles" aria-label="Totals">""");
        Tile(html, "Output", Quantities.Number(output), "tokens/s", $"{Quantities.Number(prompts)} prompt tokens/s", MetricMath.Rates(model.OutputTokens, window.Edges), "c0");
        Tile(html, "Requests", Quantities.Number(model.Engines.Sum(e => e.Running)), "running", $"{Quantities.Number(model.Engines.Sum(e => e.Waiting))} waiting", MetricMath.Values(model.RunningNow, window.Edges), "c4");
        Tile(html, "First token", Time(first.Percentile(0.5)), "p50", $"{Time(first.Percentile(0.95))} p95", MetricMath.Percentiles(model.FirstToken, window.Edges, 0.5), "c2");
        Tile(html, "Between tokens", Time(gap.Percentile(0.5)), "p50", $"{Time(gap.Percentile(0.99))} p99", MetricMath.Percentiles(model.TokenGap, window.Edges, 0.5), "c6");
        Tile(html, "Prefix hits", hit is { } rate ? Percent(rate) : "–", "of prompt tokens", "", HitRates(model, window), "c1");
        Tile(html, "KV blocks", blocks > 0 ? Percent(inUse / blocks) : "–", "in use", $"{Quantities.Number(inUse)} of {Quantities.Number(blocks)}", MetricMath.Values(model.BlocksInUse, window.Edges), "c9");
        html.Add($"</section>");
    }

    private static double?[] HitRates(InferenceModel model, TimeWindow window) =>
        [.. Enumerable.Range(0, TimeWindow.Bins).Select(i => InferenceModel.HitRateOf(model.HitTokens, model.PromptTokens, window.Edges[i], window.Edges[i + 1]))];

    private static void Tile(HtmlWriter html, string name, string value, string unit, string second, double?[] values, string colour)
    {
        html.Add($"""<div class="tile"><h3>{name}</h3><p class="figure">{value}<span>{unit}</span></p><p class="second">{second}</p>""");
        if (values.Length > 0) Chart.Sparkline(html, values, colour);
        html.Add($"</div>");
    }

    private static void Card(HtmlWriter html, DashboardContext context, EngineFigures engine)
    {
        var name = context.Store.Resources.DisplayName(engine.Resource);
        var (tone, state) = State(engine);
        html.Add($"""
            <article class="engine {context.ColourOf(engine.Resource.Name)}" id="e-{engine.Resource.Name}-{engine.Resource.InstanceId}">
            <header><h3><i class="dot"></i>{name}<span class="role">{RoleName(engine.Role)}</span></h3><span class="state {tone}"><i class="dot"></i>{state}</span></header>
            <dl class="load"><div><dt>Running</dt><dd>{Quantities.Number(engine.Running)}</dd></div><div><dt>Waiting</dt><dd>{Quantities.Number(engine.Waiting)}</dd></div>
            <div><dt>{(engine.Role == "prefill" ? "Prompt" : "Output")}</dt><dd>{Quantities.Number(engine.Role == "prefill" ? engine.PromptRate : engine.OutputRate)}<span>tok/s</span></dd></div></dl>
            """);
        Chart.Sparkline(html, engine.Throughput, context.ColourOf(engine.Resource.Name));
        if (engine.Blocks > 0) Blocks(html, engine);
        html.Add($"""<dl class="fine">""");
        if (engine.HitRate is { } hit) html.Add($"""<div><dt>Prefix hits</dt><dd>{Percent(hit)}</dd></div>""");
        if (engine.FirstToken.Count > 0) html.Add($"""<div><dt>First token</dt><dd>{Time(engine.FirstToken.Percentile(0.5))} <span>p95 {Time(engine.FirstToken.Percentile(0.95))}</span></dd></div>""");
        if (engine.TokenGap.Count > 0) html.Add($"""<div><dt>Between tokens</dt><dd>{Time(engine.TokenGap.Percentile(0.5))} <span>p99 {Time(engine.TokenGap.Percentile(0.99))}</span></dd></div>""");
        html.Add($"</dl></article>");
    }

    private static (string Tone, string Text) State(EngineFigures engine) => engine switch
    {
        { Listed: { Tone: ResourceTone.Bad or ResourceTone.Neutral or ResourceTone.Busy } listed } => (listed.Tone.ToString().ToLowerInvariant(), listed.State ?? "Unknown"),
        { IsReporting: false } => ("bad", "Silent"),
        { Listed.Healthy: false } => ("warning", "Unhealthy"),
        _ => ("good", "Serving"),
    };

    private static void Blocks(HtmlWriter html, EngineFigures engine)
    {
        html.Add($"""<div class="blocks"><p><span>KV blocks</span><span>{Quantities.Number(engine.Used + engine.Parked)} of {Quantities.Number(engine.Blocks)}</span></p><svg aria-hidden="true"><rect width="100%" height="10" rx="3" class="free"/>""");
        var x = 0d;
        foreach (var (kind, count) in (ReadOnlySpan<(string, double)>)[("used", engine.Used), ("parked", engine.Parked), ("cached", engine.Cached)])
        {
            var width = 100 * count / engine.Blocks;
            if (width > 0) html.Add($"""<rect x="{x:0.##}%" width="{width:0.##}%" height="10" class="{kind}"/>""");
            x += width;
        }
        html.Add($"""</svg><p class="keys"><span class="used"><i></i>used {Quantities.Number(engine.Used)}</span><span class="parked"><i></i>parked {Quantities.Number(engine.Parked)}</span><span class="cached"><i></i>cached {Quantities.Number(engine.Cached)}</span></p></div>""");
    }

    private static void Links(HtmlWriter html, InferenceModel model)
    {
        if (model.Links.Count == 0) return;
        html.Add($"""
            <h2 class="section">KV transfers<b class="num">{model.Links.Count}</b></h2><div class="table-wrap"><table class="list links">
            <thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col" class="n">Pulls</th><th scope="col" class="n">Failed</th><th scope="col" class="n">Bytes</th><th scope="col" class="n">Median</th><th scope="col" class="n">Speed</th></tr></thead><tbody>
            """);
        foreach (var link in model.Links)
        {
            var speed = link.Seconds > 0 ? $"{Quantities.Number(link.Bytes / link.Seconds / 1e9)} GB/s" : "–";
            html.Add($"""
                <tr><td>{link.Source}</td><td>{link.Target}</td><td class="n">{link.Pulls}</td><td class="n{(link.Failed > 0 ? " bad" : "")}">{link.Failed}</td>
                <td class="n">{Quantities.Bytes(link.Bytes)}</td><td class="n">{Durations.Text(link.Median)}</td><td class="n">{speed}</td></tr>
                """);
        }
        html.Add($"</tbody></table></div>");
    }

    private static string Time(double? seconds) => seconds is { } value ? Durations.Text(Quantities.Seconds(value)) : "–";

    private static string Percent(double share) => share.ToString("0%", System.Globalization.CultureInfo.InvariantCulture);
}
