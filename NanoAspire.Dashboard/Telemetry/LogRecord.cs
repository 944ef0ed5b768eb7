namespace NanoAspire.Dashboard.Telemetry;

internal enum LogSeverity { Unspecified, Trace, Debug, Information, Warning, Error, Critical }

/// <summary>A structured log record. <see cref="Id"/> is the store's running number.</summary>
internal sealed record LogRecord
{
    public long Id { get; init; }
    public required TelemetryResource Resource { get; init; }

    /// <summary>The logger's category.</summary>
    public required string Scope { get; init; }
    public required ulong Time { get; init; }
    public int SeverityNumber { get; init; }
    public required string Message { get; init; }
    public OtlpAttribute[] Attributes { get; init; } = [];
    public string? TraceId { get; init; }
    public string? SpanId { get; init; }

    public LogSeverity Severity => SeverityNumber switch
    {
        <= 0 => LogSeverity.Unspecified,
        <= 4 => LogSeverity.Trace,
        <= 8 => LogSeverity.Debug,
        <= 12 => LogSeverity.Information,
        <= 16 => LogSeverity.Warning,
        <= 20 => LogSeverity.Error,
        _ => LogSeverity.Critical,
    };

    /// <summary>The template the message was made from, when the sender tells.</summary>
    public string? Template => Attributes.Text("{OriginalFormat}");
}
