namespace NanoAspire.Router.Relay;

/// <summary>Finds whole events in a stream of server-sent events without changing a byte of it.</summary>
internal static class SseEvents
{
    /// <summary>
    /// Length of the whole events at the start of the buffer; 0 when there is none yet. An event ends with a blank line, whose line
    /// ends may be <c>\n</c> or <c>\r\n</c>.
    /// </summary>
    public static int WholeLength(ReadOnlySpan<byte> buffer) =>
        Math.Max(End(buffer.LastIndexOf("\n\n"u8), 2), End(buffer.LastIndexOf("\n\r\n"u8), 3));

    /// <summary>Length of the first whole event; 0 when there is none.</summary>
    public static int FirstLength(ReadOnlySpan<byte> buffer)
    {
        var (lf, crlf) = (buffer.IndexOf("\n\n"u8), buffer.IndexOf("\n\r\n"u8));
        return crlf >= 0 && (lf < 0 || crlf < lf) ? crlf + 3 : End(lf, 2);
    }

    /// <summary>The data of the next line that has some, and what follows it; false at the end.</summary>
    public static bool TryNextData(ref ReadOnlySpan<byte> events, out ReadOnlySpan<byte> data)
    {
        while (events.Length > 0)
        {
            var end = events.IndexOf((byte)'\n');
            var line = end < 0 ? events : events[..end];
            events = end < 0 ? [] : events[(end + 1)..];
            if (!line.StartsWith("data:"u8)) continue;
            data = line["data:"u8.Length..].Trim(" \r"u8);
            return true;
        }
        data = [];
        return false;
    }

    private static int End(int start, int length) => start < 0 ? 0 : start + length;
}
