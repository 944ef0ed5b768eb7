using NanoAspire.Dashboard.Metrics;
using NanoAspire.Dashboard.Resources;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>The figures of one engine process.</summary>
internal sealed record EngineFigures
{
    public required TelemetryResource Resource { get; init; }
    public required string Role { get; init; }

    /// <summary>Null when the host lists no such resource.</summary>
    public DashboardResource? Listed { get; init; }

    /// <summary>Its metrics still arrive.</summary>
    public required bool IsReporting { get; init; }
    public double Running { get; init; }
    public double Waiting { get; init; }
    public double Free { get; init; }
    public double Cached { get; init; }
    public double Used { get; init; }
    public double Parked { get; init; }
    public double PromptRate { get; init; }
    public double OutputRate { get; init; }
    public required double?[] Throughput { get; init; }

    /// <summary>Share of prompt tokens found in the cache; null without prompts.</summary>
    public double? HitRate { get; init; }
    public required HistogramWindow FirstToken { get; init; }
    public required HistogramWindow TokenGap { get; init; }

    public double Blocks => Free + Cached + Used + Parked;
}

/// <summary>What one engine read from another.</summary>
internal sealed record TransferLink(string Source, string Target, int Pulls, int Failed, double Bytes, double Seconds, TimeSpan Median);

/// <summary>All engines and links of the application within a window of time.</summary>
internal sealed class InferenceModel
{
    private static readonly string[] RoleOrder = ["prefill", "decode", "hybrid", "encoder"];

    private InferenceModel(IReadOnlyList<EngineFigures> engines, IReadOnlyList<TransferLink> links) => (Engines, Links) = (engines, links);

    public IReadOnlyList<EngineFigures> Engines { get; }
    public IReadOnlyList<TransferLink> Links { get; }

    /// <summary>Series of every engine for the totals.</summary>
    public required IReadOnlyList<SeriesSnapshot> OutputTokens { get; init; }
    public required IReadOnlyList<SeriesSnapshot> RunningNow { get; init; }
    public required IReadOnlyList<SeriesSnapshot> FirstToken { get; init; }
    public required IReadOnlyList<SeriesSnapshot> TokenGap { get; init; }
    public required IReadOnlyList<SeriesSnapshot> PromptTokens { get; init; }
    public required IReadOnlyList<SeriesSnapshot> HitTokens { get; init; }
    public required IReadOnlyList<SeriesSnapshot> BlocksInUse { get; init; }

    public static InferenceModel Read(DashboardContext context, TimeWindow window)
    {
        var metrics = context.Store.Metrics;
        var resources = context.Store.Resources.All().Where(r => metrics.Find(r.Key, "kv_blocks") is not null || metrics.Find(r.Key, "requests_running") is not null).ToList();
        var listed = context.Resources.Snapshot();
        var engines = resources.Select(resource => Figures(context, window, resource, listed)).ToList();
        // A restarted engine is a new process; the old one is shown only while nothing has taken its place.
        engines = [.. engines.Where(engine => engine.IsReporting || !engines.Any(other => other.IsReporting && other.Resource.Name == engine.Resource.Name))
            .OrderBy(engine => Array.IndexOf(RoleOrder, engine.Role)).ThenBy(engine => engine.Resource.Name, StringComparer.Ordinal).ThenBy(engine => engine.Resource.InstanceId, StringComparer.Ordinal)];

        IReadOnlyList<SeriesSnapshot> All(string name, string? kind = null, Func<string, bool>? role = null) =>
            [.. engines.Where(engine => role is null || role(engine.Role)).SelectMany(engine => Series(context, engine.Resource, name, kind))];

        // A decode engine counts the prompts it pulls; where others compute them, they would count twice.
        var computed = engines.Any(engine => engine.Role != "decode");
        bool ComputesPrompts(string role) => role != "decode" || !computed;

        return new InferenceModel(engines, Pulls(context, window))
        {
            OutputTokens = All("tokens_total", "completion"),
            RunningNow = All("requests_running"),
            FirstToken = FirstTokens(context, window) is { Count: > 0 } seenByClients ? seenByClients
                : All("gen_ai.server.time_to_first_token", role: role => role != "decode") is { Count: > 0 } first ? first : All("gen_ai.server.time_to_first_token"),
            TokenGap = All("itl_seconds"),
            PromptTokens = All("tokens_total", "prompt", ComputesPrompts),
            HitTokens = All("prefix_hit_tokens_total", role: ComputesPrompts),
            BlocksInUse = [.. engines.SelectMany(engine => (string[])["used", "parked"], (engine, state) => Series(context, engine.Resource, "kv_blocks", state, "state")).SelectMany(series => series)],
        };
    }

    /// <summary>The router's figure is the client's: it holds both stages and what lies between. Only streamed requests have it.</summary>
    private static List<SeriesSnapshot> FirstTokens(DashboardContext context, TimeWindow window)
    {
        List<SeriesSnapshot> series = [.. context.Store.Resources.All().SelectMany(resource => Series(context, resource, "router.ttft"))];
        return MetricMath.Window(series, window.From, window.Now).Count > 0 ? series : [];
    }

    private static EngineFigures Figures(DashboardContext context, TimeWindow window, TelemetryResource resource, IReadOnlyList<DashboardResource> listed)
    {
        var running = Series(context, resource, "requests_running");
        var prompt = Series(context, resource, "tokens_total", "prompt");
        var output = Series(context, resource, "tokens_total", "completion");
        double Now(string name, string? state = null) => Series(context, resource, name, state, "state").Sum(series => MetricMath.ValueAt(series, window.Now) ?? 0);
        double Rate(IReadOnlyList<SeriesSnapshot> series) => series.Sum(s => MetricMath.Increase(s, window.From, window.Now)) / window.Length.TotalSeconds;

        return new EngineFigures
        {
            Resource = resource,
            Role = RoleOf(resource),
            Listed = listed.FirstOrDefault(r => r.Name == $"{resource.Name}-{resource.InstanceId}") ?? listed.FirstOrDefault(r => r.DisplayName == resource.Name),
            IsReporting = running.Concat(Series(context, resource, "kv_blocks")).Any(series => MetricMath.ValueAt(series, window.Now) is not null),
            Running = Now("requests_running"),
            Waiting = Now("requests_waiting"),
            Free = Now("kv_blocks", "free"),
            Cached = Now("kv_blocks", "cached"),
            Used = Now("kv_blocks", "used"),
            Parked = Now("kv_blocks", "parked"),
            PromptRate = Rate(prompt),
            OutputRate = Rate(output),
            Throughput = MetricMath.Rates([.. prompt, .. output], window.Edges),
            HitRate = HitRateOf(Series(context, resource, "prefix_hit_tokens_total"), prompt, window.From, window.Now),
            FirstToken = MetricMath.Window(Series(context, resource, "gen_ai.server.time_to_first_token"), window.From, window.Now),
            TokenGap = MetricMath.Window(Series(context, resource, "itl_seconds"), window.From, window.Now),
        };
    }

    public static double? HitRateOf(IReadOnlyList<SeriesSnapshot> hits, IReadOnlyList<SeriesSnapshot> prompts, ulong from, ulong to)
    {
        var total = prompts.Sum(series => MetricMath.Increase(series, from, to));
        return total <= 0 ? null : Math.Clamp(hits.Sum(series => MetricMath.Increase(series, from, to)) / total, 0, 1);
    }

    /// <summary>What the process says of itself, else what its name says.</summary>
    private static string RoleOf(TelemetryResource resource)
    {
        if (resource.Attributes.Text("nanoaspire.engine.role") is { } said && RoleOrder.Contains(said)) return said;
        bool Named(string part) => resource.Name.Contains(part, StringComparison.OrdinalIgnoreCase);
        return Named("prefill") ? "prefill" : Named("decode") ? "decode" : Named("vision") || Named("encoder") ? "encoder" : "hybrid";
    }

    private static IReadOnlyList<SeriesSnapshot> Series(DashboardContext context, TelemetryResource resource, string name, string? value = null, string label = "kind") =>
        [.. (context.Store.Metrics.Find(resource.Key, name)?.Series ?? []).Where(series => value is null || series.Attributes.Text(label) == value)];

    private static IReadOnlyList<TransferLink> Pulls(DashboardContext context, TimeWindow window)
    {
        var spans = context.Store.Traces.AllSpans();
        var pulls = spans.Where(span => span.Name == "kv.pull" && span.End >= window.From).ToList();
        return [.. pulls.GroupBy(pull => (Source: SourceOf(context, pull), Target: context.Store.Resources.DisplayName(pull.Resource)))
            .Select(link => new TransferLink(
                link.Key.Source, link.Key.Target, link.Count(), link.Count(pull => pull.IsError),
                link.Sum(pull => pull.Attributes.Number("kv.bytes") ?? 0), link.Sum(pull => pull.Duration.TotalSeconds),
                link.Select(pull => pull.Duration).Order().ElementAt(link.Count() / 2)))
            .OrderByDescending(link => link.Bytes)];
    }

    /// <summary>The prefill span that the pull is linked to knows its process; else the id that the pull carries has to do.</summary>
    private static string SourceOf(DashboardContext context, Span pull)
    {
        foreach (var link in pull.Links)
        {
            if (context.Store.Traces.Spans(link.TraceId).FirstOrDefault(span => span.SpanId == link.SpanId) is { } prefill) return context.Store.Resources.DisplayName(prefill.Resource);
        }
        return pull.Attributes.Text("kv.source") ?? "unknown";
    }
}
