namespace NanoAspire.Dashboard.Telemetry;

internal enum SpanKind { Unspecified, Internal, Server, Client, Producer, Consumer }

internal enum SpanStatus { Unset, Ok, Error }

/// <summary>A finished span. Ids are lower-case hex; times are nanoseconds since 1970, of the clock of the process that sent them.</summary>
internal sealed record Span
{
    public required TelemetryResource Resource { get; init; }
    public required string Scope { get; init; }
    public required string TraceId { get; init; }
    public required string SpanId { get; init; }

    /// <summary>Null for a root.</summary>
    public string? ParentId { get; init; }
    public string? TraceState { get; init; }
    public required string Name { get; init; }
    public SpanKind Kind { get; init; }
    public required ulong Start { get; init; }
    public required ulong End { get; init; }
    public OtlpAttribute[] Attributes { get; init; } = [];
    public SpanEvent[] Events { get; init; } = [];
    public SpanLink[] Links { get; init; } = [];
    public SpanStatus Status { get; init; }
    public string? StatusMessage { get; init; }

    public TimeSpan Duration => Nanoseconds.ToSpan(End > Start ? End - Start : 0);
    public bool IsError => Status == SpanStatus.Error;
}

internal sealed record SpanEvent(ulong Time, string Name, OtlpAttribute[] Attributes);

/// <summary>A cause in another trace, or elsewhere in this one.</summary>
internal sealed record SpanLink(string TraceId, string SpanId, OtlpAttribute[] Attributes);
