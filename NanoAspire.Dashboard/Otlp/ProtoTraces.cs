using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>ExportTraceServiceRequest in protobuf.</summary>
internal static class ProtoTraces
{
    public static OtlpBatch<Span> Read(ReadOnlySpan<byte> request, Func<OtlpAttribute[], TelemetryResource> intern)
    {
        var spans = new List<Span>();
        var rejected = 0;
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
                    if (ofScope.Field != 2) continue;
                    if (ReadSpan(ofScope.Message(), resource, scope) is { } span) spans.Add(span);
                    else rejected++;
                }
            }
        }
        return new OtlpBatch<Span>(spans, rejected);
    }

    /// <summary>Null when an id is missing: such a span belongs nowhere.</summary>
    private static Span? ReadSpan(ProtoReader reader, TelemetryResource resource, string scope)
    {
        string? traceId = null, spanId = null, parentId = null, state = null, message = null;
        var (name, kind, status) = ("", SpanKind.Unspecified, SpanStatus.Unset);
        ulong start = 0, end = 0;
        List<OtlpAttribute> attributes = [];
        List<SpanEvent> events = [];
        List<SpanLink> links = [];
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: traceId = ProtoCommon.Id(reader.Bytes(), 16); break;
                case 2: spanId = ProtoCommon.Id(reader.Bytes(), 8); break;
                case 3: state = reader.Text(OtlpLimits.TextLength); break;
                case 4: parentId = ProtoCommon.Id(reader.Bytes(), 8); break;
                case 5: name = reader.Text(OtlpLimits.TextLength); break;
                case 6: kind = (SpanKind)reader.Int32(); break;
                case 7: start = reader.Fixed64(); break;
                case 8: end = reader.Fixed64(); break;
                case 9: ProtoCommon.AddAttribute(ref reader, attributes); break;
                case 11 when events.Count < OtlpLimits.Events: events.Add(ReadEvent(reader.Message())); break;
                case 13 when links.Count < OtlpLimits.Links: if (ReadLink(reader.Message()) is { } link) links.Add(link); break;
                case 15: (status, message) = ReadStatus(reader.Message()); break;
            }
        }
        if (traceId is null || spanId is null) return null;
        return new Span
        {
            Resource = resource, Scope = scope, TraceId = traceId, SpanId = spanId, ParentId = parentId, TraceState = state, Name = name,
            Kind = Enum.IsDefined(kind) ? kind : SpanKind.Unspecified, Start = start, End = end, Attributes = [.. attributes],
            Events = [.. events], Links = [.. links], Status = Enum.IsDefined(status) ? status : SpanStatus.Unset, StatusMessage = message,
        };
    }

    private static SpanEvent ReadEvent(ProtoReader reader)
    {
        var (time, name, attributes) = (0ul, "", new List<OtlpAttribute>());
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: time = reader.Fixed64(); break;
                case 2: name = reader.Text(OtlpLimits.TextLength); break;
                case 3: ProtoCommon.AddAttribute(ref reader, attributes); break;
            }
        }
        return new SpanEvent(time, name, [.. attributes]);
    }

    private static SpanLink? ReadLink(ProtoReader reader)
    {
        string? traceId = null, spanId = null;
        List<OtlpAttribute> attributes = [];
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: traceId = ProtoCommon.Id(reader.Bytes(), 16); break;
                case 2: spanId = ProtoCommon.Id(reader.Bytes(), 8); break;
                case 4: ProtoCommon.AddAttribute(ref reader, attributes); break;
            }
        }
        return traceId is null || spanId is null ? null : new SpanLink(traceId, spanId, [.. attributes]);
    }

    private static (SpanStatus Status, string? Message) ReadStatus(ProtoReader reader)
    {
        var (status, message) = (SpanStatus.Unset, (string?)null);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2: message = reader.Text(OtlpLimits.TextLength); break;
                case 3: status = (SpanStatus)reader.Int32(); break;
            }
        }
        return (status, message);
    }
}
