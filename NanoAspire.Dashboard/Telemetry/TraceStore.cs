namespace NanoAspire.Dashboard.Telemetry;

/// <summary>Spans by trace, bounded in traces and in spans; the trace that arrived first is the first to go. Thread-safe.</summary>
internal sealed class TraceStore(int maxTraces, int maxSpans)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _traces = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private int _spans;

    /// <summary>One trace may not push out all others.</summary>
    private int MaxSpansPerTrace => Math.Max(1, maxSpans / 4);

    public void Add(IReadOnlyList<Span> spans)
    {
        lock (_lock)
        {
            foreach (var span in spans)
            {
                if (!_traces.TryGetValue(span.TraceId, out var trace))
                {
                    _traces.Add(span.TraceId, trace = new Entry());
                    _order.Enqueue(span.TraceId);
                }
                if (trace.Spans.Count >= MaxSpansPerTrace || !trace.Spans.TryAdd(span.SpanId, span)) continue;   // a repeated export sends a span twice
                trace.Summary = null;
                _spans++;
            }
            while (_order.Count > maxTraces || (_spans > maxSpans && _order.Count > 1))
            {
                _traces.Remove(_order.Dequeue(), out var evicted);
                _spans -= evicted!.Spans.Count;
            }
        }
    }

    /// <summary>All traces, newest first.</summary>
    public IReadOnlyList<TraceSummary> Summaries()
    {
        lock (_lock) return [.. _traces.Select(trace => trace.Value.Summary ??= TraceSummary.Of(trace.Key, trace.Value.Spans.Values)).OrderByDescending(trace => trace.Start)];
    }

    /// <summary>The spans of one trace by start time; empty when it is unknown or gone.</summary>
    public IReadOnlyList<Span> Spans(string traceId)
    {
        lock (_lock) return _traces.TryGetValue(traceId, out var trace) ? [.. trace.Spans.Values.OrderBy(span => span.Start)] : [];
    }

    /// <summary>Every span, oldest trace first.</summary>
    public IReadOnlyList<Span> AllSpans()
    {
        lock (_lock) return [.. _order.SelectMany(id => _traces[id].Spans.Values)];
    }

    public bool Contains(string traceId) { lock (_lock) return _traces.ContainsKey(traceId); }

    public void Clear()
    {
        lock (_lock)
        {
            _traces.Clear();
            _order.Clear();
            _spans = 0;
        }
    }

    private sealed class Entry
    {
        public Dictionary<string, Span> Spans { get; } = new(StringComparer.Ordinal);
        public TraceSummary? Summary { get; set; }
    }
}
