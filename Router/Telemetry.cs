using System.Diagnostics;
using System.Diagnostics.Metrics;
using NanoAspire.Router.Nodes;

namespace NanoAspire.Router;

/// <summary>Spans and instruments of the router. Names become <c>router_…</c> at <c>/metrics</c>.</summary>
internal static class Telemetry
{
    public const string Name = "NanoAspire.Router";

    private static readonly InstrumentAdvice<double> Latencies = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    };

    private static readonly InstrumentAdvice<double> Gaps = new()
    {
        HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5],
    };

    public static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);

    /// <summary>By model, endpoint, code, outcome.</summary>
    public static readonly Counter<long> Requests = Meter.CreateCounter<long>("router.requests", "{request}", "Requests answered");
    public static readonly Histogram<double> RequestDuration = Meter.CreateHistogram("router.request.duration", "s", "From the request's arrival to its last byte", advice: Latencies);
    public static readonly Histogram<double> TimeToFirstToken = Meter.CreateHistogram("router.ttft", "s", "From the request's arrival to the first event of its stream", advice: Latencies);
    public static readonly Histogram<double> InterToken = Meter.CreateHistogram("router.itl", "s", "Between events of a stream", advice: Gaps);
    public static readonly Histogram<double> Queue = Meter.CreateHistogram("router.queue", "s", "Waiting for admission", advice: Latencies);
    public static readonly Histogram<double> Encode = Meter.CreateHistogram("router.encode", "s", "One image at one encoder", advice: Latencies);
    public static readonly Histogram<double> Prefill = Meter.CreateHistogram("router.prefill", "s", "One prefill call", advice: Latencies);
    public static readonly Histogram<double> Handoff = Meter.CreateHistogram("router.kv.handoff", "s", "From the decode call to its first byte", advice: Latencies);
    public static readonly Histogram<double> Decode = Meter.CreateHistogram("router.decode", "s", "One decode or hybrid call, to its last byte", advice: Latencies);
    /// <summary>By kind: prompt, cached, completion.</summary>
    public static readonly Counter<long> Tokens = Meter.CreateCounter<long>("router.tokens", "{token}", "Tokens by the engines' own count");
    /// <summary>By stage and reason.</summary>
    public static readonly Counter<long> Retries = Meter.CreateCounter<long>("router.retries", "{retry}", "Stages tried again on another engine");
    /// <summary>By type: the stage that broke off.</summary>
    public static readonly Counter<long> Migrations = Meter.CreateCounter<long>("router.migrations", "{migration}", "Streams that went on at another engine");
    /// <summary>By stage.</summary>
    public static readonly Counter<long> ClientAborts = Meter.CreateCounter<long>("router.client.aborts", "{request}", "Requests whose client left");
    /// <summary>By reason.</summary>
    public static readonly Counter<long> Rejected = Meter.CreateCounter<long>("router.rejected", "{request}", "Requests not admitted");
    /// <summary>By result: freed, failed, dropped.</summary>
    public static readonly Counter<long> LeaseReleases = Meter.CreateCounter<long>("router.kv.release", "{lease}", "Parked sequences given back to their prefill engine");
    /// <summary>By engine, role and result: completed, failed.</summary>
    public static readonly Counter<long> NodeRequests = Meter.CreateCounter<long>("router.node.requests", "{request}", "Stages that engines have ended");
    public static readonly UpDownCounter<long> Leases = Meter.CreateUpDownCounter<long>("router.kv.leases", "{lease}", "Parked sequences that running requests hold");
    /// <summary>By strategy and role.</summary>
    public static readonly Counter<long> Decisions = Meter.CreateCounter<long>("router.route.decision", "{decision}", "Engines chosen");

    /// <summary>What each engine of the table is doing, read when somebody asks.</summary>
    public static Meter WatchNodes(Func<IEnumerable<Node>> nodes)
    {
        var meter = new Meter(Name);
        meter.CreateObservableGauge("router.inflight", () => nodes().Select(node => new Measurement<long>(node.InFlight, Tags(node))), "{request}", "Stages running on an engine");
        meter.CreateObservableGauge("router.prompt.pending", () => nodes().Select(node => new Measurement<long>(node.PendingPromptBytes, Tags(node))), "By", "Prompt bytes that an engine has not answered yet");
        meter.CreateObservableGauge("router.node.state", () => nodes().Select(node => new Measurement<long>(1, [.. Tags(node), new("state", node.State.ToString().ToLowerInvariant())])), description: "1 for the state an engine is in");
        meter.CreateObservableGauge("router.breaker.open", () => nodes().Select(node => new Measurement<long>(node.Breaker.Allows ? 0 : 1, Tags(node))), description: "1 while an engine's breaker keeps requests from it");
        return meter;
    }

    public static KeyValuePair<string, object?>[] Tags(Node node) => [new("engine", node.Id), new("role", node.Role.ToString().ToLowerInvariant())];
}
