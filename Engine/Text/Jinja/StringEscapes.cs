using System.Globalization;
using System.Text;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>The escapes of a Python string literal; an unknown one stays as it is written.</summary>
internal static class StringEscapes
{
    /// <summary>Reads the escape whose backslash is at <paramref name="i"/> and leaves <paramref name="i"/> on its last character.</summary>
    public static void Read(string source, ref int i, StringBuilder text, int line)
    {
        if (++i >= source.Length) throw new TemplateError("a string is not closed", line);
        var c = source[i];
        switch (c)
        {
            case '\n': break;
            case '\\' or '\'' or '"': text.Append(c); break;
            case 'a': text.Append('\a'); break;
            case 'b': text.Append('\b'); break;
            case 'f': text.Append('\f'); break;
            case 'n': text.Append('\n'); break;
            case 'r': text.Append('\r'); break;
            case 't': text.Append('\t'); break;
            case 'v': text.Append('\v'); break;
            case 'x': AppendHex(source, ref i, 2, text, line); break;
            case 'u': AppendHex(source, ref i, 4, text, line); break;
            case 'U': AppendHex(source, ref i, 8, text, line); break;
            case >= '0' and <= '7':
                var value = c - '0';
                for (var n = 1; n < 3 && i + 1 < source.Length && source[i + 1] is >= '0' and <= '7'; n++) value = value * 8 + (source[++i] - '0');
                text.Append((char)value);
                break;
            default: text.Append('\\').Append(c); break;
        }
    }

    private static void AppendHex(string source, ref int i, int digits, StringBuilder text, int line)
    {
        if (i + digits >= source.Length
            || !int.TryParse(source.AsSpan(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point)
            || point is < 0 or > 0x10FFFF)
        {
            throw new TemplateError("a string has an incomplete escape", line);
        }
        i += digits;
        if (point < 0x10000) text.Append((char)point);                  // a pair of \u surrogates makes one character
        else text.Append(char.ConvertFromUtf32(point));
    }
}
