using System.Globalization;
using System.Text;

namespace NanoAspire.ServiceDefaults.Metrics;

/// <summary>Prometheus text exposition format 0.0.4.</summary>
internal static class PrometheusWriter
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static void Write(StringBuilder text, MetricFamily family)
    {
        var buckets = family.Kind == MetricKind.Histogram ? new long[family.Bounds.Length + 1] : [];
        var headed = false;
        foreach (var series in family.Series)
        {
            if (!series.TryRead(buckets, out var value, out var count)) continue;
            if (!headed) Head(text, family);
            headed = true;
            if (family.Kind != MetricKind.Histogram)
            {
                Sample(text, family.Name, series.Labels, Number(value));
                continue;
            }
            for (var i = 0; i < buckets.Length; i++)
            {
                var bound = i < family.Bounds.Length ? Number(family.Bounds[i]) : "+Inf";
                var separator = series.Labels.Length == 0 ? "" : ",";
                Sample(text, family.Name + "_bucket", $"{series.Labels}{separator}le=\"{bound}\"", buckets[i].ToString(CultureInfo.InvariantCulture));
            }
            Sample(text, family.Name + "_sum", series.Labels, Number(value));
            Sample(text, family.Name + "_count", series.Labels, count.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static void Head(StringBuilder text, MetricFamily family)
    {
        if (family.Help.Length > 0)
        {
            var help = family.Help.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append("# HELP ").Append(family.Name).Append(' ').Append(help).Append('\n');
        }
        var type = family.Kind switch { MetricKind.Counter => "counter", MetricKind.Gauge => "gauge", _ => "histogram" };
        text.Append("# TYPE ").Append(family.Name).Append(' ').Append(type).Append('\n');
    }

    private static void Sample(StringBuilder text, string name, string labels, string value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(value).Append('\n');
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
