using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Metrics;

internal enum MetricShape { Gauge, Sum, Histogram }

/// <summary>One metric of one export, as received.</summary>
internal sealed record MetricData
{
    public required TelemetryResource Resource { get; init; }
    public required string Meter { get; init; }
    public required string Name { get; init; }
    public string Description { get; init; } = "";
    public string Unit { get; init; } = "";
    public required MetricShape Shape { get; init; }

    /// <summary>Points hold the change since the last export instead of the total.</summary>
    public bool IsDelta { get; init; }

    /// <summary>A sum that never falls.</summary>
    public bool IsMonotonic { get; init; }
    public required IReadOnlyList<MetricPointData> Points { get; init; }
}

/// <summary>One label set's value. For histograms <see cref="Value"/> is the sum and <see cref="Buckets"/> has one place more than <see cref="Bounds"/>.</summary>
internal sealed record MetricPointData(ulong Time, OtlpAttribute[] Attributes, double Value, long Count = 0, long[]? Buckets = null, double[]? Bounds = null);
