using System.Globalization;
using System.Text;

namespace NanoAspire.Benchmarks.Routing;

internal sealed record RoutingReport
{
    public required int Requests { get; init; }
    public required int Engines { get; init; }
    public required double RequestsPerSecond { get; init; }
    public required IReadOnlyList<RoutingFigures> Strategies { get; init; }

    public string ToText()
    {
        var culture = CultureInfo.InvariantCulture;
        var text = new StringBuilder();
        text.AppendLine(culture, $"{Requests} requests of shared-prefix sessions, {RequestsPerSecond:0.#}/s, over {Engines} simulated engines");
        text.AppendLine(culture, $"{"strategy",-18} {"hit rate",9} {"ttft p50 ms",12} {"p99 ms",9} {"imbalance",10} {"requests max/mean",18}");
        foreach (var figure in Strategies)
            text.AppendLine(culture, $"{figure.Strategy,-18} {figure.HitRate,9:P1} {figure.P50Ms,12:F0} {figure.P99Ms,9:F0} {figure.Imbalance,10:F2} {figure.RequestImbalance,18:F2}");
        return text.ToString().TrimEnd();
    }
}

/// <summary>One strategy.</summary>
internal sealed record RoutingFigures
{
    public required string Strategy { get; init; }
    /// <summary>Share of the prompts' bytes that engines found in their caches.</summary>
    public required double HitRate { get; init; }
    public required double P50Ms { get; init; }
    public required double P99Ms { get; init; }
    /// <summary>Prompt computation of the busiest engine over the mean.</summary>
    public required double Imbalance { get; init; }
    /// <summary>Requests of the engine with most over the mean.</summary>
    public required double RequestImbalance { get; init; }

    public static RoutingFigures Of(string strategy, List<double> waits, IReadOnlyList<SimulatedEngine> engines)
    {
        waits.Sort();
        return new()
        {
            Strategy = strategy,
            HitRate = engines.Sum(engine => engine.CachedBytes) / (double)engines.Sum(engine => engine.PromptBytes),
            P50Ms = waits[waits.Count / 2] * 1000,
            P99Ms = waits[(int)(waits.Count * 0.99)] * 1000,
            Imbalance = engines.Max(engine => engine.PrefillSeconds) / engines.Average(engine => engine.PrefillSeconds),
            RequestImbalance = engines.Max(engine => engine.Requests) / engines.Average(engine => (double)engine.Requests),
        };
    }
}
