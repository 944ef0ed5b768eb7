namespace NanoAspire.Dashboard.Telemetry;

/// <summary>What the list shows of a trace; it changes while spans still arrive.</summary>
internal sealed record TraceSummary
{
    public required string TraceId { get; init; }

    /// <summary>The span without known parent, the earliest when there are several.</summary>
    public required Span Root { get; init; }
    public required ulong Start { get; init; }
    public required ulong End { get; init; }
    public required int SpanCount { get; init; }
    public required bool HasError { get; init; }

    /// <summary>Resources in order of their first span, with their span and error counts.</summary>
    public required IReadOnlyList<(TelemetryResource Resource, int Spans, int Errors)> Resources { get; init; }

    public TimeSpan Duration => Nanoseconds.ToSpan(End - Start);

    /// <param name="traceId">The spans' trace.</param>
    /// <param name="spans">At least one.</param>
    public static TraceSummary Of(string traceId, IReadOnlyCollection<Span> spans)
    {
        var known = spans.Select(span => span.SpanId).ToHashSet(StringComparer.Ordinal);
        var start = spans.Min(span => span.Start);
        return new TraceSummary
        {
            TraceId = traceId,
            Root = spans.Where(span => span.ParentId is null || !known.Contains(span.ParentId)).MinBy(span => span.Start) ?? spans.MinBy(span => span.Start)!,
            Start = start,
            End = Math.Max(start, spans.Max(span => span.End)),
            SpanCount = spans.Count,
            HasError = spans.Any(span => span.IsError),
            Resources = [.. spans.OrderBy(span => span.Start).GroupBy(span => span.Resource.Key).Select(group => (group.First().Resource, group.Count(), group.Count(span => span.IsError)))],
        };
    }
}
