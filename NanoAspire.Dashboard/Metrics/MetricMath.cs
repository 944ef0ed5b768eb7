namespace NanoAspire.Dashboard.Metrics;

/// <summary>Values, rates and percentiles over time from series of changes.</summary>
internal static class MetricMath
{
    private static readonly MetricPoint Zero = new(0, 0, 0, []);

    /// <summary>The value that held at <paramref name="time"/>; null before the first point and when the series had fallen silent.</summary>
    public static double? ValueAt(SeriesSnapshot series, ulong time) =>
        time > series.LastSeen + series.StaleAfter ? null : Last(series.Points, time)?.Value;

    /// <summary>Growth between two moments. A process that restarts counts from zero again.</summary>
    public static double Increase(SeriesSnapshot series, ulong from, ulong to)
    {
        var (before, after) = (Base(series, from), Last(series.Points, to));
        if (after is not { } end) return 0;
        return end.Value >= before.Value ? end.Value - before.Value : end.Value;
    }

    /// <summary>Histogram of what was recorded between two moments, over all <paramref name="series"/> with the same bounds as the first.</summary>
    public static HistogramWindow Window(IReadOnlyList<SeriesSnapshot> series, ulong from, ulong to)
    {
        if (series.Count == 0) return new HistogramWindow([], [0], 0);
        var bounds = series[0].Bounds;
        var buckets = new long[bounds.Length + 1];
        var sum = 0d;
        foreach (var one in series)
        {
            if (!one.Bounds.AsSpan().SequenceEqual(bounds) || Last(one.Points, to) is not { } end || end.Buckets.Length != buckets.Length) continue;
            var before = Base(one, from);
            var restarted = end.Count < before.Count;
            for (var i = 0; i < buckets.Length; i++) buckets[i] += end.Buckets[i] - (restarted || before.Buckets.Length == 0 ? 0 : before.Buckets[i]);
            sum += end.Value - (restarted ? 0 : before.Value);
        }
        return new HistogramWindow(bounds, buckets, sum);
    }

    /// <summary><paramref name="bins"/> + 1 moments from <paramref name="from"/> to <paramref name="to"/>.</summary>
    public static ulong[] Edges(ulong from, ulong to, int bins) =>
        [.. Enumerable.Range(0, bins + 1).Select(i => from + (ulong)((to - from) * (double)i / bins))];

    /// <summary>Sum over the series at each edge but the first; null where no series has a value.</summary>
    public static double?[] Values(IReadOnlyList<SeriesSnapshot> series, ulong[] edges) =>
        [.. edges.Skip(1).Select(edge => series.Select(s => ValueAt(s, edge)).Aggregate((double?)null, (sum, value) => value is null ? sum : (sum ?? 0) + value))];

    /// <summary>Growth a second within each pair of edges; null before the first report and after the last.</summary>
    public static double?[] Rates(IReadOnlyList<SeriesSnapshot> series, ulong[] edges)
    {
        var rates = new double?[edges.Length - 1];
        for (var i = 0; i < rates.Length; i++)
        {
            var (from, to) = (edges[i], edges[i + 1]);
            var live = series.Where(s => s.Points.Length > 0 && s.Points[0].Time <= to && s.LastSeen + s.StaleAfter >= to).ToList();
            if (live.Count > 0) rates[i] = live.Sum(s => Increase(s, from, to)) / ((to - from) / 1e9);
        }
        return rates;
    }

    /// <summary>The percentile of what was recorded within each pair of edges; null where nothing was.</summary>
    public static double?[] Percentiles(IReadOnlyList<SeriesSnapshot> series, ulong[] edges, double percentile) =>
        [.. Enumerable.Range(0, edges.Length - 1).Select(i => Window(series, edges[i], edges[i + 1]).Percentile(percentile))];

    /// <summary>What growth is measured from: the total at that time, or zero when the series began later.</summary>
    private static MetricPoint Base(SeriesSnapshot series, ulong time) =>
        Last(series.Points, time) ?? (series.IsCut && series.Points.Length > 0 ? series.Points[0] : Zero);

    private static MetricPoint? Last(MetricPoint[] points, ulong time)
    {
        var (low, high) = (0, points.Length);                                         // points[low - 1].Time <= time < points[high].Time
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (points[middle].Time <= time) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? null : points[low - 1];
    }
}
