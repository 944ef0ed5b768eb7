namespace NanoAspire.ServiceDefaults.Metrics;

/// <summary>One label set of a metric. Cumulative since the process started. Its own lock guards it: writers of different series never meet.</summary>
internal sealed class MetricSeries(string labels, double[] bounds)
{
    private readonly Lock _lock = new();
    private readonly long[] _buckets = new long[bounds.Length + 1];
    private double _value;
    private long _count;
    private bool _seen;

    /// <summary>Text between the braces of the sample; empty without labels.</summary>
    public string Labels { get; } = labels;

    public void Add(double delta) { lock (_lock) { _value += delta; _seen = true; } }

    public void Set(double value) { lock (_lock) { _value = value; _seen = true; } }

    /// <summary>Forgets an observed value, so that a series which is no longer observed is no longer reported.</summary>
    public void Clear() { lock (_lock) { _value = 0; _seen = false; } }

    /// <summary>NaN is left out: it would make the sum NaN for ever.</summary>
    public void Record(double value)
    {
        if (double.IsNaN(value)) return;
        var bucket = Array.BinarySearch(bounds, value);
        lock (_lock)
        {
            _value += value;
            _count++;
            _seen = true;
            _buckets[bucket < 0 ? ~bucket : bucket]++;       // bounds are inclusive above: value == bound is in that bucket
        }
    }

    /// <summary>A consistent copy; false when nothing was measured. <paramref name="buckets"/> is empty or has bounds + 1 places for cumulative counts.</summary>
    public bool TryRead(Span<long> buckets, out double value, out long count)
    {
        lock (_lock)
        {
            value = _value;
            count = _count;
            if (!buckets.IsEmpty) _buckets.CopyTo(buckets);
            if (!_seen) return false;
        }
        for (var i = 1; i < buckets.Length; i++) buckets[i] += buckets[i - 1];
        return true;
    }
}
