using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace NanoAspire.Router;

/// <summary>Spans and instruments of the router. Names become <c>router_…</c> at <c>/metrics</c>.</summary>
internal static class Telemetry
{
    public const string Name = "NanoAspire.Router";

    private static readonly InstrumentAdvice<double> Latencies = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    };

    public static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);

    /// <summary>By model, endpoint, code, outcome.</summary>
    public static readonly Counter<long> Requests = Meter.CreateCounter<long>("router.requests", "{request}", "Requests answered");
    public static readonly Histogram<double> RequestDuration = Meter.CreateHistogram("router.request.duration", "s", "From the request's arrival to its last byte", advice: Latencies);
    public static readonly Histogram<double> TimeToFirstToken = Meter.CreateHistogram("router.ttft", "s", "From the request's arrival to the first event of its stream", advice: Latencies);
    public static readonly Histogram<double> Queue = Meter.CreateHistogram("router.queue", "s", "Waiting for admission", advice: Latencies);
    public static readonly Histogram<double> Prefill = Meter.CreateHistogram("router.prefill", "s", "One prefill call", advice: Latencies);
    public static readonly Histogram<double> Handoff = Meter.CreateHistogram("router.kv.handoff", "s", "From the decode call to its first byte", advice: Latencies);
    public static readonly Histogram<double> Decode = Meter.CreateHistogram("router.decode", "s", "One decode or hybrid call, to its last byte", advice: Latencies);
    /// <summary>By kind: prompt, cached, completion.</summary>
    public static readonly Counter<long> Tokens = Meter.CreateCounter<long>("router.tokens", "{token}", "Tokens by the engines' own count");
    /// <summary>By stage and reason.</summary>
    public static readonly Counter<long> Retries = Meter.CreateCounter<long>("router.retries", "{retry}", "Stages tried again on another engine");
    /// <summary>By stage.</summary>
    public static readonly Counter<long> ClientAborts = Meter.CreateCounter<long>("router.client.aborts", "{request}", "Requests whose client left");
    /// <summary>By reason.</summary>
    public static readonly Counter<long> Rejected = Meter.CreateCounter<long>("router.rejected", "{request}", "Requests not admitted");
    /// <summary>By result: freed, failed, dropped.</summary>
    public static readonly Counter<long> LeaseReleases = Meter.CreateCounter<long>("router.kv.release", "{lease}", "Parked sequences given back to their prefill engine");
    public static readonly UpDownCounter<long> Leases = Meter.CreateUpDownCounter<long>("router.kv.leases", "{lease}", "Parked sequences that running requests hold");
    /// <summary>By strategy and role.</summary>
    public static readonly Counter<long> Decisions = Meter.CreateCounter<long>("router.route.decision", "{decision}", "Engines chosen");
}
