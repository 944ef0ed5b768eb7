using System.Globalization;
using System.Text.Json;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Api;

/// <summary>Stored telemetry back in OTLP's JSON: hex ids, 64-bit numbers as text.</summary>
internal static class OtlpJsonWriter
{
    public static void Resources(Utf8JsonWriter writer, ResourceRegistry resources)
    {
        writer.WriteStartArray();
        foreach (var resource in resources.All())
        {
            writer.WriteStartObject();
            writer.WriteString("name", resource.Name);
            writer.WriteString("instanceId", resource.InstanceId);
            writer.WriteString("displayName", resources.DisplayName(resource));
            Attributes(writer, resource.Attributes);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    public static void Spans(Utf8JsonWriter writer, IReadOnlyList<Span> spans) =>
        ByResource(writer, spans, span => span.Resource, span => span.Scope, "scopeSpans", "spans", span => WriteSpan(writer, span));

    public static void Logs(Utf8JsonWriter writer, IReadOnlyList<LogRecord> logs) =>
        ByResource(writer, logs, log => log.Resource, log => log.Scope, "scopeLogs", "logRecords", log => WriteLog(writer, log));

    private static void ByResource<T>(Utf8JsonWriter writer, IReadOnlyList<T> items, Func<T, TelemetryResource> resourceOf, Func<T, string> scopeOf, string scopes, string name, Action<T> write)
    {
        writer.WriteStartArray();
        foreach (var ofResource in items.GroupBy(item => resourceOf(item).Key))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("resource");
            Attributes(writer, resourceOf(ofResource.First()).Attributes);
            writer.WriteEndObject();
            writer.WriteStartArray(scopes);
            foreach (var ofScope in ofResource.GroupBy(scopeOf))
            {
                writer.WriteStartObject();
                writer.WriteStartObject("scope");
                writer.WriteString("name", ofScope.Key);
                writer.WriteEndObject();
                writer.WriteStartArray(name);
                foreach (var item in ofScope) write(item);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteSpan(Utf8JsonWriter writer, Span span)
    {
        writer.WriteStartObject();
        writer.WriteString("traceId", span.TraceId);
        writer.WriteString("spanId", span.SpanId);
        if (span.ParentId is not null) writer.WriteString("parentSpanId", span.ParentId);
        if (span.TraceState is not null) writer.WriteString("traceState", span.TraceState);
        writer.WriteString("name", span.Name);
        writer.WriteNumber("kind", (int)span.Kind);
        Time(writer, "startTimeUnixNano", span.Start);
        Time(writer, "endTimeUnixNano", span.End);
        Attributes(writer, span.Attributes);
        writer.WriteStartArray("events");
        foreach (var one in span.Events)
        {
            writer.WriteStartObject();
            Time(writer, "timeUnixNano", one.Time);
            writer.WriteString("name", one.Name);
            Attributes(writer, one.Attributes);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartArray("links");
        foreach (var link in span.Links)
        {
            writer.WriteStartObject();
            writer.WriteString("traceId", link.TraceId);
            writer.WriteString("spanId", link.SpanId);
            Attributes(writer, link.Attributes);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartObject("status");
        if (span.StatusMessage is not null) writer.WriteString("message", span.StatusMessage);
        writer.WriteNumber("code", (int)span.Status);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteLog(Utf8JsonWriter writer, LogRecord log)
    {
        writer.WriteStartObject();
        Time(writer, "timeUnixNano", log.Time);
        writer.WriteNumber("severityNumber", log.SeverityNumber);
        writer.WriteString("severityText", log.Severity.ToString());
        writer.WriteStartObject("body");
        writer.WriteString("stringValue", log.Message);
        writer.WriteEndObject();
        Attributes(writer, log.Attributes);
        if (log.TraceId is not null) writer.WriteString("traceId", log.TraceId);
        if (log.SpanId is not null) writer.WriteString("spanId", log.SpanId);
        writer.WriteEndObject();
    }

    private static void Attributes(Utf8JsonWriter writer, OtlpAttribute[] attributes)
    {
        writer.WriteStartArray("attributes");
        foreach (var attribute in attributes) Attribute(writer, attribute);
        writer.WriteEndArray();
    }

    private static void Attribute(Utf8JsonWriter writer, OtlpAttribute attribute)
    {
        writer.WriteStartObject();
        writer.WriteString("key", attribute.Key);
        writer.WritePropertyName("value");
        Value(writer, attribute.Value);
        writer.WriteEndObject();
    }

    private static void Value(Utf8JsonWriter writer, OtlpValue value)
    {
        writer.WriteStartObject();
        switch (value.Content)
        {
            case string text: writer.WriteString("stringValue", text); break;
            case bool flag: writer.WriteBoolean("boolValue", flag); break;
            case long whole: writer.WriteString("intValue", whole.ToString(CultureInfo.InvariantCulture)); break;
            case double real when double.IsFinite(real): writer.WriteNumber("doubleValue", real); break;
            case double real: writer.WriteString("doubleValue", real switch { double.PositiveInfinity => "Infinity", double.NegativeInfinity => "-Infinity", _ => "NaN" }); break;
            case byte[] bytes: writer.WriteBase64String("bytesValue", bytes); break;
            case OtlpValue[] list:
                writer.WriteStartObject("arrayValue");
                writer.WriteStartArray("values");
                foreach (var item in list) Value(writer, item);
                writer.WriteEndArray();
                writer.WriteEndObject();
                break;
            case OtlpAttribute[] map:
                writer.WriteStartObject("kvlistValue");
                writer.WriteStartArray("values");
                foreach (var item in map) Attribute(writer, item);
                writer.WriteEndArray();
                writer.WriteEndObject();
                break;
        }
        writer.WriteEndObject();
    }

    private static void Time(Utf8JsonWriter writer, string name, ulong nanoseconds) => writer.WriteString(name, nanoseconds.ToString(CultureInfo.InvariantCulture));
}
