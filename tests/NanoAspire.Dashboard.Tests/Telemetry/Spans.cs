using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Tests.Telemetry;

/// <summary>Short spans for tests: trace and span ids are numbers.</summary>
internal static class Spans
{
    public static Span Span(int trace, int id, int? parent = null, ulong start = 0, ulong end = 1, string resource = "router", string? instance = null, string name = "span", bool error = false, SpanKind kind = SpanKind.Internal, params OtlpAttribute[] attributes) => new()
    {
        Resource = new TelemetryResource(resource, instance, [new("service.name", resource)]), Scope = "test", TraceId = trace.ToString("x32"), SpanId = id.ToString("x16"), ParentId = parent?.ToString("x16"),
        Name = name, Start = start, End = end, Status = error ? SpanStatus.Error : SpanStatus.Unset, Kind = kind, Attributes = attributes,
    };

    public static LogRecord Log(string message, int severity = 9, string resource = "router", params OtlpAttribute[] attributes) => new()
    {
        Resource = new TelemetryResource(resource, null, []), Scope = "test", Time = 1, Message = message, SeverityNumber = severity, Attributes = attributes,
    };
}
