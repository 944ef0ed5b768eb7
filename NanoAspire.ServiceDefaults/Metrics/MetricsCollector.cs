using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace NanoAspire.ServiceDefaults.Metrics;

/// <summary>
/// Listens to the process's instruments and keeps cumulative values for <c>/metrics</c>. Meters of another host in the same process
/// (made by its <see cref="IMeterFactory"/>) are left to that host.
/// </summary>
internal sealed class MetricsCollector : IDisposable
{
    /// <summary>For histograms whose author advised no buckets: durations in seconds, and everything else.</summary>
    private static readonly double[] SecondBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    private static readonly double[] DefaultBounds = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MetricsOptions _options;
    private readonly ILogger<MetricsCollector> _logger;
    private readonly Lock _scrape = new();

    public MetricsCollector(IMeterFactory meters, IOptions<MetricsOptions> options, ILogger<MetricsCollector> logger)
    {
        _options = options.Value;
        _logger = logger;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope is not null && !ReferenceEquals(instrument.Meter.Scope, meters)) return;
            if (_options.Includes(instrument.Meter.Name) && FamilyOf(instrument) is { } sink) listener.EnableMeasurementEvents(instrument, sink);
        };
        _listener.SetMeasurementEventCallback<byte>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<short>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<float>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<decimal>((_, value, tags, state) => Measured((double)value, tags, state));
    }

    public void Start() => _listener.Start();

    /// <summary>Observes the observable instruments and renders everything. One scrape at a time: a second would observe twice.</summary>
    public string Scrape()
    {
        lock (_scrape)
        {
            foreach (var family in _families.Values.Where(family => family.IsObserved))
            {
                foreach (var series in family.Series) series.Clear();
            }
            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException failures)
            {
                // One instrument's broken callback must not take every other metric away.
                foreach (var failure in failures.InnerExceptions) _logger.ObservationFailed(failure);
            }
            var text = new StringBuilder(16 * 1024);
            foreach (var family in _families.Values.OrderBy(family => family.Name, StringComparer.Ordinal)) PrometheusWriter.Write(text, family);
            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    private static void Measured(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) =>
        ((Sink)state!).Write(value, tags);

    /// <summary>Null when the name is taken by a metric of another kind or other buckets: mixing them would corrupt both.</summary>
    private Sink? FamilyOf(Instrument instrument)
    {
        var definition = instrument.GetType().IsGenericType ? instrument.GetType().GetGenericTypeDefinition() : null;
        var observed = definition == typeof(ObservableCounter<>) || definition == typeof(ObservableUpDownCounter<>) || definition == typeof(ObservableGauge<>);
        MetricKind kind;
        Action<MetricSeries, double> write;
        if (definition == typeof(Counter<>) || definition == typeof(ObservableCounter<>)) (kind, write) = (MetricKind.Counter, static (s, v) => s.Add(v));
        else if (definition == typeof(UpDownCounter<>) || definition == typeof(ObservableUpDownCounter<>)) (kind, write) = (MetricKind.Gauge, static (s, v) => s.Add(v));
        else if (definition == typeof(Gauge<>) || definition == typeof(ObservableGauge<>)) (kind, write) = (MetricKind.Gauge, static (s, v) => s.Set(v));
        else if (definition == typeof(Histogram<>)) (kind, write) = (MetricKind.Histogram, static (s, v) => s.Record(v));
        else return null;

        var name = MetricName.For(instrument.Name, instrument.Unit, kind);
        var bounds = kind == MetricKind.Histogram ? BoundsOf(instrument) : [];
        var family = _families.GetOrAdd(name, _ => new MetricFamily(name, instrument.Description ?? "", kind, bounds, observed, _options.MaxSeriesPerMetric));
        if (family.Kind == kind && family.IsObserved == observed && family.Bounds.AsSpan().SequenceEqual(bounds)) return new Sink(family, write);
        _logger.MetricNameTaken(name, instrument.Meter.Name, instrument.Name);
        return null;
    }

    private static double[] BoundsOf(Instrument instrument)
    {
        double[]? advised = instrument switch
        {
            Histogram<double> h => h.Advice?.HistogramBucketBoundaries?.ToArray(),
            Histogram<float> h => Widen(h.Advice?.HistogramBucketBoundaries),
            Histogram<long> h => Widen(h.Advice?.HistogramBucketBoundaries),
            Histogram<int> h => Widen(h.Advice?.HistogramBucketBoundaries),
            Histogram<short> h => Widen(h.Advice?.HistogramBucketBoundaries),
            Histogram<byte> h => Widen(h.Advice?.HistogramBucketBoundaries),
            Histogram<decimal> h => Widen(h.Advice?.HistogramBucketBoundaries),
            _ => null,
        };
        return advised ?? (instrument.Unit == "s" ? SecondBounds : DefaultBounds);
    }

    private static double[]? Widen<T>(IReadOnlyList<T>? bounds) where T : struct, IConvertible =>
        bounds?.Select(bound => bound.ToDouble(null)).ToArray();

    private sealed record Sink(MetricFamily Family, Action<MetricSeries, double> Apply)
    {
        public void Write(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => Apply(Family.For(tags), value);
    }
}
