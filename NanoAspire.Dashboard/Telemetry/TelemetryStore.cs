using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Metrics;

namespace NanoAspire.Dashboard.Telemetry;

/// <summary>Everything received, in bounded memory; pages hear of changes through <see cref="Changes"/>.</summary>
internal sealed class TelemetryStore
{
    public TelemetryStore(DashboardOptions options)
    {
        Resources = new ResourceRegistry(options.MaxResources);
        Traces = new TraceStore(options.MaxTraces, options.MaxSpans);
        Logs = new LogStore(options.MaxLogs);
        Metrics = new MetricStore(options.MaxInstruments, options.MaxSeriesPerInstrument, options.MaxPointsPerSeries);
        Resources.Forgotten += Metrics.Forget;
    }

    public ResourceRegistry Resources { get; }
    public TraceStore Traces { get; }
    public LogStore Logs { get; }
    public MetricStore Metrics { get; }
    public ChangeHub Changes { get; } = new();

    public void Add(IReadOnlyList<Span> spans)
    {
        Traces.Add(spans);
        Changes.Changed(LiveTopics.Traces);
    }

    public void Add(IReadOnlyList<LogRecord> records)
    {
        Logs.Add(records);
        Changes.Changed(LiveTopics.Logs);
    }

    /// <returns>How many metrics found no room.</returns>
    public int Add(IReadOnlyList<MetricData> metrics)
    {
        var rejected = Metrics.Add(metrics);
        Changes.Changed(LiveTopics.Metrics);
        return rejected;
    }

    /// <summary>Forgets <c>traces</c>, <c>logs</c> or <c>metrics</c>.</summary>
    /// <returns>False when there is no such signal.</returns>
    public bool Clear(string signal)
    {
        switch (signal)
        {
            case "traces":
                Traces.Clear();
                Changes.Changed(LiveTopics.Traces);
                return true;
            case "logs":
                Logs.Clear();
                Changes.Changed(LiveTopics.Logs);
                return true;
            case "metrics":
                Metrics.Clear();
                Changes.Changed(LiveTopics.Metrics);
                return true;
            default:
                return false;
        }
    }
}
