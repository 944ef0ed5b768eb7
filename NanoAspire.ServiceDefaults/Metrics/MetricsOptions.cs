namespace NanoAspire.ServiceDefaults.Metrics;

/// <summary>Which instruments are collected for <c>/metrics</c>, and how much memory their label sets may take.</summary>
public sealed class MetricsOptions
{
    /// <summary>Meters collected and exported by default; <c>*</c> at the end matches any rest.</summary>
    public static IReadOnlyList<string> DefaultMeters { get; } =
        ["Microsoft.AspNetCore.*", "System.Net.Http", "System.Net.NameResolution", "System.Runtime", "NanoAspire.*"];

    /// <summary>Meter names, each exact or with <c>*</c> at the end.</summary>
    public IList<string> Meters { get; } = [.. DefaultMeters];

    /// <summary>Label sets kept per metric; measurements with further ones are summed under <c>otel_metric_overflow="true"</c>.</summary>
    public int MaxSeriesPerMetric { get; set; } = 512;

    internal bool Includes(string meter) =>
        Meters.Any(pattern => pattern.EndsWith('*')
            ? meter.StartsWith(pattern.AsSpan(..^1), StringComparison.Ordinal)
            : meter == pattern);
}
