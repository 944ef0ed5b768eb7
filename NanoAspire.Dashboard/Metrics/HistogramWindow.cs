namespace NanoAspire.Dashboard.Metrics;

/// <summary>Counts by bucket: <see cref="Buckets"/> has one place more than <see cref="Bounds"/> and is not cumulative.</summary>
internal sealed record HistogramWindow(double[] Bounds, long[] Buckets, double Sum)
{
    public long Count => Buckets.Sum();

    /// <summary>
    /// Linear within the bucket that holds it; the lowest bucket begins at zero, and for the one without upper bound the answer is its
    /// lower bound. Null when nothing was recorded.
    /// </summary>
    /// <param name="percentile">0 to 1.</param>
    public double? Percentile(double percentile)
    {
        var count = Count;
        if (count == 0 || Bounds.Length == 0) return null;
        var rank = percentile * count;
        long below = 0;
        for (var i = 0; i < Bounds.Length; i++)
        {
            if (Buckets[i] > 0 && below + Buckets[i] >= rank)
            {
                var lower = i == 0 ? Math.Min(0, Bounds[0]) : Bounds[i - 1];
                return lower + ((Bounds[i] - lower) * Math.Clamp((rank - below) / Buckets[i], 0, 1));
            }
            below += Buckets[i];
        }
        return Bounds[^1];
    }
}
