namespace NanoAspire.Dashboard.Metrics;

/// <summary>A series' value from <see cref="Time"/> on. Totals since the process started; for histograms <see cref="Value"/> is the sum.</summary>
internal readonly record struct MetricPoint(ulong Time, double Value, long Count, long[] Buckets);
