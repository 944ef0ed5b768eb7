using System.Globalization;

namespace NanoAspire.Dashboard.Telemetry;

/// <summary>Amounts as people read them.</summary>
internal static class Quantities
{
    private static readonly string[] ByteUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

    public static string Bytes(double bytes)
    {
        var unit = 0;
        for (; Math.Abs(bytes) >= 1024 && unit < ByteUnits.Length - 1; unit++) bytes /= 1024;
        return $"{Number(bytes)} {ByteUnits[unit]}";
    }

    /// <summary>Three significant figures; thousands and millions shortened.</summary>
    public static string Number(double value)
    {
        var size = Math.Abs(value);
        var (scaled, suffix) = size switch { >= 1e9 => (value / 1e9, "G"), >= 1e6 => (value / 1e6, "M"), >= 1e4 => (value / 1e3, "k"), _ => (value, "") };
        var format = Math.Abs(scaled) switch { >= 100 => "0", >= 10 => "0.#", >= 1 => "0.##", 0 => "0", _ => "0.###" };
        return scaled.ToString(format, CultureInfo.InvariantCulture) + suffix;
    }

    /// <summary>A value of an instrument in its unit (UCUM).</summary>
    public static string InUnit(double value, string unit) => unit switch
    {
        "s" => Durations.Text(Seconds(value)),
        "ms" => Durations.Text(Seconds(value / 1e3)),
        "us" => Durations.Text(Seconds(value / 1e6)),
        "By" => Bytes(value),
        "By/s" => Bytes(value) + "/s",
        "1" => value.ToString("0.##%", CultureInfo.InvariantCulture),
        ['{', .., '}', '/', 's'] => $"{Number(value)}/s",
        "s/s" => Number(value) + " s/s",
        _ => Number(value),
    };

    /// <summary>A shape of time that cannot overflow.</summary>
    public static TimeSpan Seconds(double seconds) => TimeSpan.FromTicks((long)Math.Clamp(seconds * TimeSpan.TicksPerSecond, -1e17, 1e17));
}
