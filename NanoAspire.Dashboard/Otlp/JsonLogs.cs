using System.Text.Json;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>ExportLogsServiceRequest in JSON.</summary>
internal static class JsonLogs
{
    public static OtlpBatch<LogRecord> Read(byte[] request, Func<OtlpAttribute[], TelemetryResource> intern)
    {
        using var document = JsonFields.Parse(request);
        var records = new List<LogRecord>();
        foreach (var ofResource in document.RootElement.List("resourceLogs"))
        {
            var resource = ofResource.Resource(intern);
            foreach (var ofScope in ofResource.List("scopeLogs"))
            {
                var scope = ofScope.ScopeName();
                records.AddRange(ofScope.List("logRecords").Select(record => ReadRecord(record, resource, scope)));
            }
        }
        return new OtlpBatch<LogRecord>(records, Rejected: 0);
    }

    private static LogRecord ReadRecord(JsonElement record, TelemetryResource resource, string scope)
    {
        var time = record.UInt64("timeUnixNano");
        return new LogRecord
        {
            Resource = resource, Scope = scope, Time = time == 0 ? record.UInt64("observedTimeUnixNano") : time,
            SeverityNumber = (int)record.Int64("severityNumber"),
            Message = record.Child("body") is { } body ? JsonFields.Value(body).ToString() : "",
            Attributes = record.Attributes(), TraceId = record.Id("traceId", 16), SpanId = record.Id("spanId", 8),
        };
    }
}
