using System.Globalization;
using System.Text;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>strftime in the C locale. An unknown directive stays as it is written.</summary>
internal static class TimeFormat
{
    public static string Format(DateTimeOffset time, string format)
    {
        var result = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                result.Append(format[i]);
                continue;
            }
            var unpadded = format[i + 1] == '-' && i + 2 < format.Length;
            i += unpadded ? 2 : 1;
            var text = One(time, format[i]);
            if (text is null) result.Append(unpadded ? "%-" : "%").Append(format[i]);
            else result.Append(unpadded && text.TrimStart('0', ' ') is var bare ? (bare.Length > 0 ? bare : "0") : text);
        }
        return result.ToString();
    }

    private static string? One(DateTimeOffset time, char directive) => directive switch
    {
        'a' => Text(time, "ddd"),
        'A' => Text(time, "dddd"),
        'b' or 'h' => Text(time, "MMM"),
        'B' => Text(time, "MMMM"),
        'c' => Format(time, "%a %b %e %H:%M:%S %Y"),
        'd' => Text(time, "dd"),
        'D' or 'x' => Format(time, "%m/%d/%y"),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'f' => Text(time, "ffffff"),
        'F' => Text(time, "yyyy-MM-dd"),
        'H' => Text(time, "HH"),
        'I' => Text(time, "hh"),
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'm' => Text(time, "MM"),
        'M' => Text(time, "mm"),
        'n' => "\n",
        'p' => time.Hour < 12 ? "AM" : "PM",
        'R' => Text(time, "HH:mm"),
        's' => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        'S' => Text(time, "ss"),
        't' => "\t",
        'T' or 'X' => Text(time, "HH:mm:ss"),
        'u' => (((int)time.DayOfWeek + 6) % 7 + 1).ToString(CultureInfo.InvariantCulture),
        'U' => ((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7).ToString("00", CultureInfo.InvariantCulture),
        'V' => ISOWeek.GetWeekOfYear(time.DateTime).ToString("00", CultureInfo.InvariantCulture),
        'w' => ((int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'W' => ((time.DayOfYear + 6 - ((int)time.DayOfWeek + 6) % 7) / 7).ToString("00", CultureInfo.InvariantCulture),
        'y' => Text(time, "yy"),
        'Y' => time.Year.ToString(CultureInfo.InvariantCulture),
        'z' or 'Z' => "",                                               // a local time without a zone, as datetime.now() is
        '%' => "%",
        _ => null,
    };

    private static string Text(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);
}
