using System.Text;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>'{} of {0[name]:&gt;5.2f}'.format(a, b)</summary>
internal static class BraceFormat
{
    public static string Format(RenderContext context, string format, IReadOnlyList<object?> values, Dictionary<string, object?> named)
    {
        var result = new StringBuilder();
        var next = 0;
        for (var i = 0; i < format.Length; i++)
        {
            context.CheckSize(result.Length);
            var c = format[i];
            if (c is '{' or '}' && i + 1 < format.Length && format[i + 1] == c)
            {
                result.Append(c);
                i++;
            }
            else if (c == '}') throw new TemplateError("Single '}' encountered in format string");
            else if (c == '{')
            {
                var end = FieldEnd(format, i + 1);
                result.Append(Field(format[(i + 1)..end]));
                i = end;
            }
            else result.Append(c);
        }
        return result.ToString();

        string Field(string field)
        {
            var colon = field.IndexOf(':', StringComparison.Ordinal);
            var spec = colon < 0 ? "" : field[(colon + 1)..];
            var name = colon < 0 ? field : field[..colon];
            var mark = name.LastIndexOf('!');
            var conversion = mark < 0 ? "" : name[(mark + 1)..];
            var value = Lookup(mark < 0 ? name : name[..mark]);
            if (spec.Contains('{', StringComparison.Ordinal)) spec = Format(context, spec, [.. values.Skip(next)], named);
            value = conversion switch
            {
                "" => value,
                "s" => PyFormat.Str(context, value),
                "r" or "a" => PyFormat.Repr(context, value),
                _ => throw new TemplateError($"unknown conversion specifier '{conversion}'"),
            };
            if (spec.Length == 0) return PyFormat.Str(context, value);
            if (value is not (string or bool or long or System.Numerics.BigInteger or double)) throw new TemplateError($"unsupported format string passed to {PyTypes.Name(PyTypes.Defined(value))}");
            return ParseSpec(spec).Apply(context, value);
        }

        object? Lookup(string name)
        {
            var end = name.AsSpan().IndexOfAny('.', '[');
            var first = end < 0 ? name : name[..end];
            var value = first.Length == 0 ? At(next++)
                : int.TryParse(first, out var index) ? At(index)
                : named.TryGetValue(first, out var found) ? found : throw new TemplateError($"format: no argument named '{first}'");
            for (var rest = end < 0 ? "" : name[end..]; rest.Length > 0; )
            {
                var stop = rest[0] == '[' ? rest.IndexOf(']', StringComparison.Ordinal) : rest.AsSpan(1).IndexOfAny('.', '[') + 1;
                if (rest[0] == '[')
                {
                    if (stop < 0) throw new TemplateError("expected ']' before end of string");
                    var key = rest[1..stop];
                    value = Members.Item(value, long.TryParse(key, out var number) ? number : key);
                    rest = rest[(stop + 1)..];
                }
                else
                {
                    if (stop == 0) stop = rest.Length;
                    value = Members.Attribute(value, rest[1..stop]);
                    rest = rest[stop..];
                }
            }
            return value;
        }

        object? At(int index) => index >= 0 && index < values.Count ? values[index] : throw new TemplateError($"Replacement index {index} out of range for positional args tuple");
    }

    private static int FieldEnd(string format, int start)
    {
        var depth = 0;
        for (var i = start; i < format.Length; i++)
        {
            if (format[i] == '{') depth++;
            else if (format[i] == '}' && depth-- == 0) return i;
        }
        throw new TemplateError("expected '}' before end of string");
    }

    /// <summary>[[fill]align][sign][#][0][width][grouping][.precision][type]</summary>
    private static NumberSpec ParseSpec(string text)
    {
        var spec = new NumberSpec();
        var i = 0;
        var fill = text.Length > 0 && char.IsHighSurrogate(text[0]) ? 2 : 1;
        if (text.Length > fill && text[fill] is '<' or '>' or '^' or '=') (spec, i) = (spec with { Fill = text[..fill], Align = text[fill] }, fill + 1);
        else if (text[0] is '<' or '>' or '^' or '=') (spec, i) = (spec with { Align = text[0] }, 1);
        if (i < text.Length && text[i] is '+' or '-' or ' ') spec = spec with { Sign = text[i++] };
        if (i < text.Length && text[i] == '#') (spec, i) = (spec with { Alternate = true }, i + 1);
        if (i < text.Length && text[i] == '0') (spec, i) = (spec.Align is null ? spec with { Fill = "0", Align = '=' } : spec, i + 1);
        spec = spec with { Width = Number(text, ref i) ?? 0 };
        if (i < text.Length && text[i] is ',' or '_') spec = spec with { Grouping = text[i++] };
        if (i < text.Length && text[i] == '.')
        {
            i++;
            spec = spec with { Precision = Number(text, ref i) ?? throw new TemplateError("Format specifier missing precision") };
        }
        if (i < text.Length) spec = spec with { Type = text[i++] };
        return i == text.Length ? spec : throw new TemplateError($"Invalid format specifier '{text}'");
    }

    private static int? Number(string text, ref int i)
    {
        int? number = null;
        for (; i < text.Length && char.IsAsciiDigit(text[i]); i++) number = Math.Min((number ?? 0) * 10 + text[i] - '0', 100_000_000);
        return number;
    }
}
