using System.Text;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>'%s of %5.2f' % (a, b)</summary>
internal static class PercentFormat
{
    public static string Format(RenderContext context, string format, IReadOnlyList<object?> values, PyDict? named)
    {
        var result = new StringBuilder();
        var next = 0;
        var byName = false;
        for (var i = 0; i < format.Length; i++)
        {
            context.CheckSize(result.Length);
            if (format[i] != '%')
            {
                result.Append(format[i]);
                continue;
            }
            if (++i < format.Length && format[i] == '%')
            {
                result.Append('%');
                continue;
            }
            object? value = null;
            var hasValue = false;
            if (i < format.Length && format[i] == '(')
            {
                var close = format.IndexOf(')', i);
                if (close < 0) throw new TemplateError("incomplete format key");
                if (named is null) throw new TemplateError("format requires a mapping");
                if (!named.TryGet(format[(i + 1)..close], out value)) throw new TemplateError($"the format key '{format[(i + 1)..close]}' is missing");
                (hasValue, byName) = (true, true);
                i = close + 1;
            }
            var flagsEnd = i;
            while (flagsEnd < format.Length && format[flagsEnd] is '-' or '+' or ' ' or '0' or '#') flagsEnd++;
            var flags = format[i..flagsEnd];
            i = flagsEnd;
            var width = ReadNumber(format, ref i, () => Take());
            int? precision = null;
            if (i < format.Length && format[i] == '.')
            {
                i++;
                precision = ReadNumber(format, ref i, () => Take()) ?? 0;
            }
            if (i >= format.Length) throw new TemplateError("incomplete format");
            if (!hasValue) value = Take();
            result.Append(One(context, format[i], flags, width ?? 0, precision, value));
        }
        if (!byName && named is null && next < values.Count) throw new TemplateError("not all arguments converted during string formatting");
        return result.ToString();

        object? Take() => next < values.Count ? values[next++] : throw new TemplateError("not enough arguments for format string");
    }

    private static string One(RenderContext context, char type, string flags, int width, int? precision, object? value)
    {
        var left = flags.Contains('-', StringComparison.Ordinal);
        var zero = flags.Contains('0', StringComparison.Ordinal) && !left;
        var spec = new NumberSpec
        {
            Width = width,
            Precision = precision,
            Sign = flags.Contains('+', StringComparison.Ordinal) ? '+' : flags.Contains(' ', StringComparison.Ordinal) ? ' ' : '-',
            Alternate = flags.Contains('#', StringComparison.Ordinal),
            Align = left ? '<' : '>',
            Type = type,
        };
        switch (type)
        {
            case 's': return (spec with { Type = 's' }).Apply(context, PyFormat.Str(context, value));
            case 'r' or 'a': return (spec with { Type = 's' }).Apply(context, PyFormat.Repr(context, value));
            case 'c' when value is string: return (spec with { Type = 's' }).Apply(context, value);
            case 'd' or 'i' or 'u':
                value = PyTypes.Defined(value) is double d ? PyTypes.FromInteger(new System.Numerics.BigInteger(Math.Truncate(d))) : value;
                spec = spec with { Type = 'd' };
                break;
            case 'x' or 'X' or 'o' or 'c' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G': break;
            default: throw new TemplateError($"unsupported format character '{type}'");
        }
        return (zero ? spec with { Fill = "0", Align = '=' } : spec).Apply(context, value);
    }

    private static int? ReadNumber(string format, ref int i, Func<object?> take)
    {
        if (i < format.Length && format[i] == '*')
        {
            i++;
            return (int)Math.Clamp(PyTypes.ToIndex(take(), "a * width"), 0, int.MaxValue);
        }
        int? number = null;
        for (; i < format.Length && char.IsAsciiDigit(format[i]); i++) number = Math.Min((number ?? 0) * 10 + format[i] - '0', 100_000_000);
        return number;
    }
}
