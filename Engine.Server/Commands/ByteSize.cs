using System.Globalization;

namespace NanoAspire.Engine.Server.Commands;

/// <summary>Sizes as people write them: <c>2GiB</c>, <c>512MB</c>, <c>1073741824</c>.</summary>
public static class ByteSize
{
    private static readonly (string Suffix, long Factor)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("K", 1L << 10), ("M", 1L << 20), ("G", 1L << 30), ("B", 1),
    ];

    public static bool TryParse(string text, out long bytes)
    {
        text = text.Trim();
        var factor = 1L;
        foreach (var (suffix, value) in Units)
        {
            if (!text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)) continue;
            (text, factor) = (text[..^suffix.Length].TrimEnd(), value);
            break;
        }
        bytes = 0;
        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number < 0 || number * factor > long.MaxValue) return false;
        bytes = (long)(number * factor);
        return true;
    }
}
