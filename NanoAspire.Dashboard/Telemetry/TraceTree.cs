namespace NanoAspire.Dashboard.Telemetry;

/// <summary>One row of the waterfall.</summary>
/// <param name="Span">The span.</param>
/// <param name="Depth">0 for a root.</param>
/// <param name="Children">How many spans lie directly below.</param>
internal sealed record TraceRow(Span Span, int Depth, int Children);

/// <summary>A trace's spans in the order of the waterfall: each below its parent, siblings by start.</summary>
internal sealed class TraceTree
{
    private TraceTree(IReadOnlyList<TraceRow> rows, TraceSummary summary) => (Rows, Summary) = (rows, summary);

    public IReadOnlyList<TraceRow> Rows { get; }
    public TraceSummary Summary { get; }
    public int Depth => Rows.Max(row => row.Depth) + 1;

    /// <param name="spans">At least one, of one trace. A span whose parent is missing stands at the top.</param>
    public static TraceTree Build(IReadOnlyList<Span> spans)
    {
        var byId = spans.ToDictionary(span => span.SpanId, StringComparer.Ordinal);
        var children = spans.Where(span => span.ParentId is not null).ToLookup(span => span.ParentId!, StringComparer.Ordinal);
        var rows = new List<TraceRow>(spans.Count);
        var placed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var root in spans.Where(span => span.ParentId is null || !byId.ContainsKey(span.ParentId)).OrderBy(span => span.Start)) Place(root);
        foreach (var span in spans.OrderBy(span => span.Start)) Place(span);                       // what only a circle of parents holds
        return new TraceTree(rows, TraceSummary.Of(spans[0].TraceId, [.. spans]));

        void Place(Span top)
        {
            var open = new Stack<(Span Span, int Depth)>([(top, 0)]);                              // depth comes from outside: no recursion
            while (open.TryPop(out var next))
            {
                if (!placed.Add(next.Span.SpanId)) continue;
                var below = children[next.Span.SpanId].OrderByDescending(child => child.Start).ToList();
                rows.Add(new TraceRow(next.Span, next.Depth, below.Count));
                foreach (var child in below) open.Push((child, next.Depth + 1));
            }
        }
    }
}
