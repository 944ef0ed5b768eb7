using System.Globalization;

namespace NanoAspire.Dashboard.Telemetry;

/// <summary>Durations as text: two units from a minute up, else one number with at most two places.</summary>
internal static class Durations
{
    public static string Text(TimeSpan duration)
    {
        if (duration < TimeSpan.Zero) return "-" + Text(duration.Negate());
        if (duration.TotalDays >= 1) return Two(duration.Days, "d", duration.Hours, "h");
        if (duration.TotalHours >= 1) return Two(duration.Hours, "h", duration.Minutes, "m");
        if (duration.TotalMinutes >= 1) return Two(duration.Minutes, "m", duration.Seconds, "s");
        if (duration.TotalSeconds >= 0.1) return One(duration.TotalSeconds, "s");
        return duration.TotalMilliseconds >= 0.01 ? One(duration.TotalMilliseconds, "ms") : One(duration.TotalMicroseconds, "μs");
    }

    private static string Two(int big, string bigUnit, int small, string smallUnit) =>
        small == 0 ? $"{big}{bigUnit}" : $"{big}{bigUnit} {small}{smallUnit}";

    private static string One(double value, string unit) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture) + unit;
}
