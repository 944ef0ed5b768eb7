using System.Collections.Concurrent;

namespace NanoAspire.ServiceDefaults.Metrics;

/// <summary>All series of one metric name, at most <c>maxSeries</c> and one for the overflow.</summary>
internal sealed class MetricFamily(string name, string help, MetricKind kind, double[] bounds, bool observed, int maxSeries)
{
    private readonly ConcurrentDictionary<TagSet, MetricSeries> _byTags = new(TagSet.Comparer.Instance);
    private readonly ConcurrentDictionary<string, MetricSeries> _byLabels = new(StringComparer.Ordinal);

    public string Name { get; } = name;
    public string Help { get; } = help;
    public MetricKind Kind { get; } = kind;

    /// <summary>Upper bounds of the histogram's buckets, ascending, without +Inf; empty for other kinds.</summary>
    public double[] Bounds { get; } = bounds;

    /// <summary>Values come from callbacks at scrape time instead of from recordings.</summary>
    public bool IsObserved { get; } = observed;

    public IEnumerable<MetricSeries> Series => _byLabels.Values.OrderBy(series => series.Labels, StringComparer.Ordinal);

    public MetricSeries For(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (_byTags.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>().TryGetValue(tags, out var series)) return series;
        // Counting is exact enough: racing threads may overshoot by their number, once.
        if (_byTags.Count >= maxSeries) return Labelled(LabelText.Overflow);
        series = Labelled(LabelText.Render(tags));                                   // tags in another order land in the same series
        _byTags.TryAdd(new TagSet(tags), series);
        return series;
    }

    private MetricSeries Labelled(string labels) => _byLabels.GetOrAdd(labels, static (text, bounds) => new MetricSeries(text, bounds), Bounds);
}
