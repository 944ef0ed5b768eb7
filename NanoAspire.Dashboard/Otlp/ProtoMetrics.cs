using NanoAspire.Dashboard.Metrics;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>ExportMetricsServiceRequest in protobuf. Exponential histograms and summaries are refused: nothing here draws them.</summary>
internal static class ProtoMetrics
{
    private const int Delta = 1;

    public static OtlpBatch<MetricData> Read(ReadOnlySpan<byte> request, Func<OtlpAttribute[], TelemetryResource> intern)
    {
        var metrics = new List<MetricData>();
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
                var meter = ProtoCommon.Scope(new ProtoReader(scopeMessage));
                var ofScope = new ProtoReader(scopeMessage);
                while (ofScope.Next())
                {
                    if (ofScope.Field != 2) continue;
                    if (ReadMetric(ofScope.Message(), resource, meter) is { } metric) metrics.Add(metric);
                    else rejected++;
                }
            }
        }
        return new OtlpBatch<MetricData>(metrics, rejected);
    }

    private static MetricData? ReadMetric(ProtoReader reader, TelemetryResource resource, string meter)
    {
        var (name, description, unit) = ("", "", "");
        MetricShape? shape = null;
        var (delta, monotonic) = (false, false);
        List<MetricPointData> points = [];
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: name = reader.Text(OtlpLimits.TextLength); break;
                case 2: description = reader.Text(OtlpLimits.TextLength); break;
                case 3: unit = reader.Text(OtlpLimits.TextLength); break;
                case 5: shape = MetricShape.Gauge; ReadPoints(reader.Message(), points, histogram: false, out _, out _); break;
                case 7: shape = MetricShape.Sum; ReadPoints(reader.Message(), points, histogram: false, out delta, out monotonic); break;
                case 9: shape = MetricShape.Histogram; ReadPoints(reader.Message(), points, histogram: true, out delta, out _); break;
            }
        }
        return shape is { } known && name.Length > 0
            ? new MetricData { Resource = resource, Meter = meter, Name = name, Description = description, Unit = unit, Shape = known, IsDelta = delta, IsMonotonic = monotonic, Points = points }
            : null;
    }

    private static void ReadPoints(ProtoReader reader, List<MetricPointData> points, bool histogram, out bool delta, out bool monotonic)
    {
        (delta, monotonic) = (false, false);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: points.Add(histogram ? ReadHistogram(reader.Message()) : ReadNumber(reader.Message())); break;
                case 2: delta = reader.Int32() == Delta; break;
                case 3: monotonic = reader.Bool(); break;
            }
        }
    }

    private static MetricPointData ReadNumber(ProtoReader reader)
    {
        var (time, value) = (0ul, 0d);
        List<OtlpAttribute> attributes = [];
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3: time = reader.Fixed64(); break;
                case 4: value = reader.Double(); break;
                case 6: value = (long)reader.Fixed64(); break;
                case 7: ProtoCommon.AddAttribute(ref reader, attributes); break;
            }
        }
        return new MetricPointData(time, [.. attributes], value);
    }

    private static MetricPointData ReadHistogram(ProtoReader reader)
    {
        ulong time = 0, count = 0;
        var sum = 0d;
        List<OtlpAttribute> attributes = [];
        List<ulong> buckets = [], bounds = [];
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3: time = reader.Fixed64(); break;
                case 4: count = reader.Fixed64(); break;
                case 5: sum = reader.Double(); break;
                case 6: reader.Fixed64s(buckets); break;
                case 7: reader.Fixed64s(bounds); break;
                case 9: ProtoCommon.AddAttribute(ref reader, attributes); break;
            }
        }
        if (buckets.Count > OtlpLimits.Buckets) throw new OtlpFormatException("a histogram has too many buckets");
        if (buckets.Count > 0 && buckets.Count != bounds.Count + 1) throw new OtlpFormatException("a histogram's buckets do not fit its bounds");
        return new MetricPointData(
            time, [.. attributes], sum, (long)count,
            buckets.Count == 0 ? [(long)count] : [.. buckets.Select(bucket => (long)bucket)],
            buckets.Count == 0 ? [] : [.. bounds.Select(BitConverter.UInt64BitsToDouble)]);
    }
}
