using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Metrics;

/// <summary>An instrument of one process and its series, copied out of the store.</summary>
internal sealed record InstrumentSnapshot(
    TelemetryResource Resource, string Meter, string Name, string Unit, string Description, MetricShape Shape, bool IsMonotonic, IReadOnlyList<SeriesSnapshot> Series);

/// <summary>
/// One label set: the points at which its value changed, oldest first, and when it was last reported.
/// </summary>
/// <param name="Attributes">The label set.</param>
/// <param name="Points">At least one.</param>
/// <param name="Bounds">Histogram bounds, else empty.</param>
/// <param name="LastSeen">Nanoseconds.</param>
/// <param name="StaleAfter">Nanoseconds after <paramref name="LastSeen"/> from which the value no longer holds.</param>
/// <param name="IsCut">Older points were dropped: what lies before the first one is unknown, not zero.</param>
internal sealed record SeriesSnapshot(OtlpAttribute[] Attributes, MetricPoint[] Points, double[] Bounds, ulong LastSeen, ulong StaleAfter, bool IsCut);
