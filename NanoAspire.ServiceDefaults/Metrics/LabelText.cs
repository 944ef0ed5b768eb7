using System.Globalization;
using System.Text;
using System.Text.Json;

namespace NanoAspire.ServiceDefaults.Metrics;

/// <summary>Tags as the text between the braces of a sample: sorted, escaped, keys that collapse to one name joined by <c>;</c>.</summary>
internal static class LabelText
{
    public const string Overflow = "otel_metric_overflow=\"true\"";

    public static string Render(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty) return "";
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in tags)
        {
            var name = MetricName.Label(key);
            var text = Text(value);
            labels[name] = labels.TryGetValue(name, out var other) ? $"{other};{text}" : text;
        }
        var result = new StringBuilder();
        foreach (var (name, value) in labels)
        {
            if (result.Length > 0) result.Append(',');
            result.Append(name).Append("=\"").Append(Escape(value)).Append('"');
        }
        return result.ToString();
    }

    public static string Escape(string value) =>
        value.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Text(object? value) => value switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        string?[] list => JsonSerializer.Serialize(list),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
