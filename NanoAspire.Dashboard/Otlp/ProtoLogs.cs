using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>ExportLogsServiceRequest in protobuf.</summary>
internal static class ProtoLogs
{
    public static OtlpBatch<LogRecord> Read(ReadOnlySpan<byte> request, Func<OtlpAttribute[], TelemetryResource> intern)
    {
        var records = new List<LogRecord>();
        var reader = new ProtoReader(request);
        while (reader.Next())
        {
            if (reader.Field != 1) continue;
            var message = reader.Bytes();
            var resource = ProtoCommon.Resource(new ProtoReader(message), intern);
            var ofResource = new ProtoReader(message);
            while (ofResource.Next())
            {
                if (ofResource.Field != 2) continue;
                var scopeMessage = ofResource.Bytes();
                var scope = ProtoCommon.Scope(new ProtoReader(scopeMessage));
                var ofScope = new ProtoReader(scopeMessage);
                while (ofScope.Next())
                {
                    if (ofScope.Field == 2) records.Add(ReadRecord(ofScope.Message(), resource, scope));
                }
            }
        }
        return new OtlpBatch<LogRecord>(records, Rejected: 0);
    }

    private static LogRecord ReadRecord(ProtoReader reader, TelemetryResource resource, string scope)
    {
        ulong time = 0, observed = 0;
        var (severity, body) = (0, default(OtlpValue));
        string? traceId = null, spanId = null;
        List<OtlpAttribute> attributes = [];
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: time = reader.Fixed64(); break;
                case 2: severity = reader.Int32(); break;
                case 5: body = ProtoCommon.Value(reader.Message()); break;
                case 6: ProtoCommon.AddAttribute(ref reader, attributes); break;
                case 9: traceId = ProtoCommon.Id(reader.Bytes(), 16); break;
                case 10: spanId = ProtoCommon.Id(reader.Bytes(), 8); break;
                case 11: observed = reader.Fixed64(); break;
            }
        }
        return new LogRecord
        {
            Resource = resource, Scope = scope, Time = time == 0 ? observed : time, SeverityNumber = severity, Message = body.ToString(),
            Attributes = [.. attributes], TraceId = traceId, SpanId = spanId,
        };
    }
}
