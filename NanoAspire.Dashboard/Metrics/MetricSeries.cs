using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Metrics;

/// <summary>Collects one label set. Values that repeat only move <c>LastSeen</c>; deltas are added up. Guarded by its store.</summary>
internal sealed class MetricSeries(OtlpAttribute[] attributes, double[] bounds, int maxPoints)
{
    /// <summary>A value holds for some export intervals, so that one lost export leaves no gap.</summary>
    private const ulong IntervalsKept = 5;
    private static readonly ulong LeastStaleAfter = Nanoseconds.From(DateTimeOffset.UnixEpoch.AddSeconds(5));

    private readonly Queue<MetricPoint> _points = new();
    private MetricPoint _last;
    private ulong _lastSeen;
    private ulong _interval;
    private bool _cut;

    public void Add(MetricPointData data, bool isDelta)
    {
        var buckets = data.Buckets ?? [];
        if (buckets.Length != 0 && !bounds.AsSpan().SequenceEqual(data.Bounds ?? [])) return;      // the sender changed its buckets: they cannot be compared
        var point = new MetricPoint(data.Time, data.Value, data.Count, buckets);
        if (isDelta && _points.Count > 0)
        {
            point = point with
            {
                Value = point.Value + _last.Value,
                Count = point.Count + _last.Count,
                Buckets = [.. point.Buckets.Select((bucket, i) => bucket + _last.Buckets[i])],
            };
        }
        if (_lastSeen != 0 && data.Time > _lastSeen) _interval = data.Time - _lastSeen;
        if (data.Time < _lastSeen) return;                                                         // late or repeated
        _lastSeen = data.Time;
        if (_points.Count > 0 && point.Value.Equals(_last.Value) && point.Count == _last.Count) return;
        _last = point;
        _points.Enqueue(point);
        if (_points.Count <= maxPoints) return;
        _points.Dequeue();
        _cut = true;
    }

    public SeriesSnapshot Snapshot() => new(attributes, [.. _points], bounds, _lastSeen, Math.Max(LeastStaleAfter, _interval * IntervalsKept), _cut);
}
