using System.Text.Json;
using NanoAspire.Dashboard.Metrics;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>ExportMetricsServiceRequest in JSON; the same kinds as in protobuf.</summary>
internal static class JsonMetrics
{
    private const long Delta = 1;

    public static OtlpBatch<MetricData> Read(byte[] request, Func<OtlpAttribute[], TelemetryResource> intern)
    {
        using var document = JsonFields.Parse(request);
        var metrics = new List<MetricData>();
        var rejected = 0;
        foreach (var ofResource in document.RootElement.List("resourceMetrics"))
        {
            var resource = ofResource.Resource(intern);
            foreach (var ofScope in ofResource.List("scopeMetrics"))
            {
                var meter = ofScope.ScopeName();
                foreach (var element in ofScope.List("metrics"))
                {
                    if (ReadMetric(element, resource, meter) is { } metric) metrics.Add(metric);
                    else rejected++;
                }
            }
        }
        return new OtlpBatch<MetricData>(metrics, rejected);
    }

    private static MetricData? ReadMetric(JsonElement metric, TelemetryResource resource, string meter)
    {
        (JsonElement Data, MetricShape Shape)? found =
            metric.Child("gauge") is { } gauge ? (gauge, MetricShape.Gauge)
            : metric.Child("sum") is { } sum ? (sum, MetricShape.Sum)
            : metric.Child("histogram") is { } histogram ? (histogram, MetricShape.Histogram)
            : null;
        if (found is not var (data, shape) || metric.Text("name") is not { Length: > 0 } name) return null;
        return new MetricData
        {
            Resource = resource, Meter = meter, Name = name, Description = metric.Text("description"), Unit = metric.Text("unit"), Shape = shape,
            IsDelta = data.Int64("aggregationTemporality") == Delta,
            IsMonotonic = data.TryGetProperty("isMonotonic", out var monotonic) && monotonic.ValueKind == JsonValueKind.True,
            Points = [.. data.List("dataPoints").Select(point => shape == MetricShape.Histogram ? Histogram(point) : Number(point))],
        };
    }

    private static MetricPointData Number(JsonElement point) =>
        new(point.UInt64("timeUnixNano"), point.Attributes(), point.TryGetProperty("asInt", out _) ? point.Int64("asInt") : point.Double("asDouble"));

    private static MetricPointData Histogram(JsonElement point)
    {
        long[] buckets = [.. point.Int64s("bucketCounts")];
        double[] bounds = [.. point.Doubles("explicitBounds")];
        if (buckets.Length > OtlpLimits.Buckets) throw new OtlpFormatException("a histogram has too many buckets");
        if (buckets.Length > 0 && buckets.Length != bounds.Length + 1) throw new OtlpFormatException("a histogram's buckets do not fit its bounds");
        var count = point.Int64("count");
        return new MetricPointData(point.UInt64("timeUnixNano"), point.Attributes(), point.Double("sum"), count, buckets.Length == 0 ? [count] : buckets, bounds);
    }
}
