using System.Text;

namespace NanoAspire.ServiceDefaults.Metrics;

/// <summary>Instrument names, units and label keys in the Prometheus alphabet, by the OpenTelemetry compatibility rules.</summary>
internal static class MetricName
{
    /// <summary><c>http.server.request.duration</c>, <c>s</c> → <c>http_server_request_duration_seconds</c>; counters end in <c>_total</c>.</summary>
    public static string For(string instrument, string? unit, MetricKind kind)
    {
        var name = Sanitize(instrument, allowColon: true);
        if (kind == MetricKind.Counter && name.EndsWith("_total", StringComparison.Ordinal)) name = name[..^"_total".Length];
        var suffix = Unit(unit, kind);
        if (suffix.Length > 0 && name != suffix && !name.EndsWith("_" + suffix, StringComparison.Ordinal)) name = $"{name}_{suffix}";
        return kind == MetricKind.Counter ? $"{name}_total" : name;
    }

    public static string Label(string key) => Sanitize(key, allowColon: false);

    private static string Sanitize(string text, bool allowColon)
    {
        var result = new StringBuilder(text.Length + 1);
        foreach (var c in text)
        {
            var legal = char.IsAsciiLetterOrDigit(c) || (allowColon && c == ':') ? c : '_';
            if (legal == '_' && result.Length > 0 && result[^1] == '_') continue;
            result.Append(legal);
        }
        if (result.Length == 0 || char.IsAsciiDigit(result[0])) result.Insert(0, '_');
        return result.ToString();
    }

    private static string Unit(string? unit, MetricKind kind)
    {
        if (string.IsNullOrEmpty(unit)) return "";
        if (unit == "1") return kind == MetricKind.Gauge ? "ratio" : "";
        var parts = unit.Split('/', 2);
        var numerator = Word(parts[0]);
        if (parts.Length == 1) return numerator;
        var denominator = parts[1] switch
        {
            "s" => "second", "m" or "min" => "minute", "h" => "hour", "d" => "day", "w" => "week", "mo" => "month", "y" => "year",
            var other => Word(other),
        };
        return denominator.Length == 0 ? numerator : numerator.Length == 0 ? $"per_{denominator}" : $"{numerator}_per_{denominator}";
    }

    /// <summary>UCUM codes in words; annotations in braces (<c>{token}</c>) name no unit.</summary>
    private static string Word(string code) => code switch
    {
        "d" => "days", "h" => "hours", "min" => "minutes", "s" => "seconds", "ms" => "milliseconds", "us" => "microseconds", "ns" => "nanoseconds",
        "By" => "bytes", "KiBy" => "kibibytes", "MiBy" => "mebibytes", "GiBy" => "gibibytes", "TiBy" => "tibibytes",
        "KBy" => "kilobytes", "MBy" => "megabytes", "GBy" => "gigabytes", "TBy" => "terabytes",
        "m" => "meters", "V" => "volts", "A" => "amperes", "J" => "joules", "W" => "watts", "g" => "grams", "Cel" => "celsius", "Hz" => "hertz", "%" => "percent",
        ['{', .., '}'] => "",
        _ => Sanitize(code, allowColon: false).Trim('_'),
    };
}
