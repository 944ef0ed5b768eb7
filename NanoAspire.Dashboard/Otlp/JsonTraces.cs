using System.Text.Json;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>ExportTraceServiceRequest in JSON.</summary>
internal static class JsonTraces
{
    public static OtlpBatch<Span> Read(byte[] request, Func<OtlpAttribute[], TelemetryResource> intern)
    {
        using var document = JsonFields.Parse(request);
        var spans = new List<Span>();
        var rejected = 0;
        foreach (var ofResource in document.RootElement.List("resourceSpans"))
        {
            var resource = ofResource.Resource(intern);
            foreach (var ofScope in ofResource.List("scopeSpans"))
            {
                var scope = ofScope.ScopeName();
                foreach (var element in ofScope.List("spans"))
                {
                    if (ReadSpan(element, resource, scope) is { } span) spans.Add(span);
                    else rejected++;
                }
            }
        }
        return new OtlpBatch<Span>(spans, rejected);
    }

    private static Span? ReadSpan(JsonElement span, TelemetryResource resource, string scope)
    {
        if (span.ValueKind != JsonValueKind.Object || span.Id("traceId", 16) is not { } traceId || span.Id("spanId", 8) is not { } spanId) return null;
        var kind = (SpanKind)span.Int64("kind");
        var code = (SpanStatus)(span.Child("status")?.Int64("code") ?? 0);
        return new Span
        {
            Resource = resource, Scope = scope, TraceId = traceId, SpanId = spanId, ParentId = span.Id("parentSpanId", 8),
            TraceState = span.Text("traceState") is { Length: > 0 } state ? state : null, Name = span.Text("name"),
            Kind = Enum.IsDefined(kind) ? kind : SpanKind.Unspecified, Start = span.UInt64("startTimeUnixNano"), End = span.UInt64("endTimeUnixNano"),
            Attributes = span.Attributes(),
            Events = [.. span.List("events").Take(OtlpLimits.Events).Select(e => new SpanEvent(e.UInt64("timeUnixNano"), e.Text("name"), e.Attributes()))],
            Links = [.. span.List("links").Take(OtlpLimits.Links).Select(ReadLink).OfType<SpanLink>()],
            Status = Enum.IsDefined(code) ? code : SpanStatus.Unset,
            StatusMessage = span.Child("status")?.Text("message") is { Length: > 0 } message ? message : null,
        };
    }

    private static SpanLink? ReadLink(JsonElement link) =>
        link.Id("traceId", 16) is { } traceId && link.Id("spanId", 8) is { } spanId ? new SpanLink(traceId, spanId, link.Attributes()) : null;
}
