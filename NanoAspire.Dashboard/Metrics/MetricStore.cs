using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Metrics;

/// <summary>Instruments by process; bounded in instruments, series and points. Thread-safe.</summary>
internal sealed class MetricStore(int maxInstruments, int maxSeries, int maxPoints)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Dictionary<(string Meter, string Name), Entry>> _resources = new(StringComparer.Ordinal);

    /// <returns>How many metrics found no room.</returns>
    public int Add(IReadOnlyList<MetricData> metrics)
    {
        var rejected = 0;
        lock (_lock)
        {
            foreach (var metric in metrics)
            {
                if (!_resources.TryGetValue(metric.Resource.Key, out var instruments)) _resources.Add(metric.Resource.Key, instruments = []);
                if (!instruments.TryGetValue((metric.Meter, metric.Name), out var instrument) || instrument.First.Shape != metric.Shape)
                {
                    if (instrument is null && instruments.Count >= maxInstruments) { rejected++; continue; }
                    instruments[(metric.Meter, metric.Name)] = instrument = new Entry(metric);
                }
                foreach (var point in metric.Points) instrument.Add(point, metric.IsDelta, maxSeries, maxPoints);
            }
        }
        return rejected;
    }

    public void Forget(TelemetryResource resource) { lock (_lock) _resources.Remove(resource.Key); }

    /// <summary>Descriptions only: series are empty.</summary>
    public IReadOnlyList<InstrumentSnapshot> Instruments(string resourceKey)
    {
        lock (_lock)
        {
            return _resources.TryGetValue(resourceKey, out var instruments)
                ? [.. instruments.Values.Select(i => i.Snapshot(withSeries: false)).OrderBy(i => i.Meter, StringComparer.Ordinal).ThenBy(i => i.Name, StringComparer.Ordinal)]
                : [];
        }
    }

    public InstrumentSnapshot? Instrument(string resourceKey, string meter, string name)
    {
        lock (_lock) return _resources.TryGetValue(resourceKey, out var instruments) && instruments.TryGetValue((meter, name), out var found) ? found.Snapshot(withSeries: true) : null;
    }

    /// <summary>The first instrument of that name, whatever its meter.</summary>
    public InstrumentSnapshot? Find(string resourceKey, string name)
    {
        lock (_lock)
        {
            return _resources.TryGetValue(resourceKey, out var instruments)
                ? instruments.FirstOrDefault(pair => pair.Key.Name == name).Value?.Snapshot(withSeries: true)
                : null;
        }
    }

    public void Clear() { lock (_lock) _resources.Clear(); }

    private sealed class Entry(MetricData first)
    {
        private readonly Dictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);

        public MetricData First { get; } = first with { Points = [] };

        public void Add(MetricPointData point, bool isDelta, int maxSeries, int maxPoints)
        {
            var key = point.Attributes.Key();
            if (!_series.TryGetValue(key, out var series))
            {
                if (_series.Count >= maxSeries) return;
                _series.Add(key, series = new MetricSeries(point.Attributes, point.Bounds ?? [], maxPoints));
            }
            series.Add(point, isDelta);
        }

        public InstrumentSnapshot Snapshot(bool withSeries) => new(
            First.Resource, First.Meter, First.Name, First.Unit, First.Description, First.Shape, First.IsMonotonic,
            withSeries ? [.. _series.Values.Select(series => series.Snapshot())] : []);
    }
}
