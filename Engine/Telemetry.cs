using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace NanoAspire.Engine;

/// <summary>Instruments of the engine; nothing here costs more than a counter a token.</summary>
internal static class Telemetry
{
    public const string Name = "NanoAspire.Engine";

    public static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);
    private static readonly ConcurrentDictionary<EngineLoop, byte> Loops = new();

    private static readonly InstrumentAdvice<double> FirstTokenBounds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    };

    private static readonly InstrumentAdvice<double> PerTokenBounds = new()
    {
        HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
    };

    /// <summary>Small models on fast devices decode in less than a millisecond.</summary>
    private static readonly InstrumentAdvice<double> InterTokenBounds = new()
    {
        HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, .. PerTokenBounds.HistogramBucketBoundaries!],
    };

    private static readonly InstrumentAdvice<double> RequestBounds = new()
    {
        HistogramBucketBoundaries = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
    };

    private static readonly InstrumentAdvice<int> PowersOfTwo = new()
    {
        HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384],
    };

    public static readonly Histogram<double> TimeToFirstToken =
        Meter.CreateHistogram("gen_ai.server.time_to_first_token", "s", "Submission to first sampled token", tags: null, FirstTokenBounds);
    public static readonly Histogram<double> TimePerOutputToken =
        Meter.CreateHistogram("gen_ai.server.time_per_output_token", "s", "Mean time per token after the first, by sequence", tags: null, PerTokenBounds);
    public static readonly Histogram<double> RequestDuration =
        Meter.CreateHistogram("gen_ai.server.request.duration", "s", "Submission to last event", tags: null, RequestBounds);
    public static readonly Histogram<double> InterTokenLatency =
        Meter.CreateHistogram("itl_seconds", "s", "Gap between two tokens of a sequence", tags: null, InterTokenBounds);
    public static readonly Histogram<double> QueueTime =
        Meter.CreateHistogram("queue_seconds", "s", "Submission to first admission", tags: null, FirstTokenBounds);
    public static readonly Histogram<double> StepDuration =
        Meter.CreateHistogram("step_seconds", "s", "Duration of one engine step, by kind", tags: null, FirstTokenBounds);
    public static readonly Histogram<int> BatchSize =
        Meter.CreateHistogram("batch_size", "{sequence}", "Sequences a step", tags: null, PowersOfTwo);
    public static readonly Histogram<int> BatchTokens =
        Meter.CreateHistogram("batch_tokens", "{token}", "Tokens a step", tags: null, PowersOfTwo);

    public static readonly Counter<long> Tokens = Meter.CreateCounter<long>("tokens_total", "{token}", "Tokens by kind: prompt, cached (part of prompt), completion");
    public static readonly Counter<long> PrefixHitTokens = Meter.CreateCounter<long>("prefix_hit_tokens_total", "{token}", "Prompt tokens found in the prefix cache");
    public static readonly Counter<long> DraftedTokens = Meter.CreateCounter<long>("draft_tokens_total", "{token}", "Guessed tokens that steps have checked");
    public static readonly Counter<long> AcceptedTokens = Meter.CreateCounter<long>("accepted_draft_tokens_total", "{token}", "Guessed tokens that became output");
    public static readonly Counter<long> Preemptions = Meter.CreateCounter<long>("preemptions_total", "{preemption}", "Sequences that gave their blocks back to go on later");
    public static readonly Counter<long> Finished = Meter.CreateCounter<long>("sequences_finished_total", "{sequence}", "Ended sequences, by reason");
    public static readonly Counter<long> FailedSteps = Meter.CreateCounter<long>("steps_failed_total", "{step}", "Steps in which the model runner failed");

    static Telemetry()
    {
        Meter.CreateObservableGauge("requests_running", () => Sum(s => s.Running), "{request}", "Sequences in the batch");
        Meter.CreateObservableGauge("requests_waiting", () => Sum(s => s.Waiting), "{request}", "Sequences and reservations in line");
        Meter.CreateObservableGauge("parked_sequences", () => Sum(s => s.ParkedSequences), "{sequence}", "Prefilled prompts kept for a decode engine");
        Meter.CreateObservableGauge("draft_acceptance_rate", Acceptance, null, "Accepted part of all drafts since the start; absent before the first");
        Meter.CreateObservableGauge("kv_blocks", Blocks, "{block}", "KV blocks by state: free, cached, used, parked");
        Meter.CreateObservableGauge("state_slots", Slots, "{slot}", "Slots for recurrent states by state: free, used");
    }

    /// <summary>The gauges add up the loops of the process: a process usually has one.</summary>
    public static void Watch(EngineLoop loop) => Loops.TryAdd(loop, 0);

    public static void Forget(EngineLoop loop) => Loops.TryRemove(loop, out _);

    public static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static long Sum(Func<EngineStatus, long> figure) => Loops.Keys.Sum(loop => figure(loop.Status));

    private static IEnumerable<Measurement<double>> Acceptance()
    {
        var drafted = Sum(s => s.DraftedTokens);
        return drafted == 0 ? [] : [new((double)Sum(s => s.AcceptedTokens) / drafted)];
    }

    private static IEnumerable<Measurement<long>> Slots() =>
    [
        new(Sum(s => s.StateSlotsTotal - s.StateSlotsUsed), Tag("state", "free")),
        new(Sum(s => s.StateSlotsUsed), Tag("state", "used")),
    ];

    private static IEnumerable<Measurement<long>> Blocks() =>
    [
        new(Sum(s => s.BlocksFree - s.BlocksCached), Tag("state", "free")),
        new(Sum(s => s.BlocksCached), Tag("state", "cached")),
        new(Sum(s => s.BlocksUsed - s.BlocksParked), Tag("state", "used")),
        new(Sum(s => s.BlocksParked), Tag("state", "parked")),
    ];
}
