using System.Globalization;
using System.Text;

namespace NanoAspire.Benchmarks.Proxy;

internal sealed record RouterReport
{
    /// <summary>Streams open at a time.</summary>
    public required int Concurrency { get; init; }
    public required IReadOnlyList<RouterFigures> Ways { get; init; }
    /// <summary>The router's streamed tokens a second over nginx's; null without nginx.</summary>
    public double? RouterToNginx => Rate("nginx") is { } nginx ? Rate("router") / nginx : null;

    public string ToText()
    {
        var text = new StringBuilder();
        var culture = CultureInfo.InvariantCulture;
        text.AppendLine(culture, $"{"way",-8} {"p50 us",8} {"p99 us",8} {"added p50",10} {"added p99",10} {"tokens/s",10}   ({Concurrency} streams)");
        foreach (var way in Ways)
            text.AppendLine(culture, $"{way.Way,-8} {way.P50Us,8:F0} {way.P99Us,8:F0} {way.AddedP50Us,10:F0} {way.AddedP99Us,10:F0} {way.TokensPerSecond,10:F0}");
        text.Append(RouterToNginx is { } ratio ? string.Create(culture, $"router / nginx: {ratio:F2}") : "no nginx on the PATH");
        return text.ToString();
    }

    private double? Rate(string way) => Ways.FirstOrDefault(figures => figures.Way == way)?.TokensPerSecond;
}

/// <summary>One way to the engine.</summary>
internal sealed record RouterFigures
{
    public required string Way { get; init; }
    public required double P50Us { get; init; }
    public required double P99Us { get; init; }
    public required double AddedP50Us { get; init; }
    public required double AddedP99Us { get; init; }
    /// <summary>Median of the rounds.</summary>
    public required double TokensPerSecond { get; init; }

    public static RouterFigures Of(string way, List<double> latencies, List<double> rates, List<double> direct) => new()
    {
        Way = way,
        P50Us = Percentile(latencies, 0.5),
        P99Us = Percentile(latencies, 0.99),
        AddedP50Us = Percentile(latencies, 0.5) - Percentile(direct, 0.5),
        AddedP99Us = Percentile(latencies, 0.99) - Percentile(direct, 0.99),
        TokensPerSecond = Percentile(rates, 0.5),
    };

    private static double Percentile(List<double> values, double fraction) => values.Order().ElementAt((int)(fraction * (values.Count - 1)));
}
