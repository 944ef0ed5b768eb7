namespace NanoAspire.ServiceDefaults.Metrics;

/// <summary>What Prometheus calls the metric. An up-down counter is a gauge there: it may fall.</summary>
internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}
