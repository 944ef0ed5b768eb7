using System.Text;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>Filters that make text.</summary>
internal static class TextFilters
{
    public static object Escape(RenderContext context, object? value, Arguments arguments) => PyFormat.Str(context, value)
        .Replace("&", "&amp;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal);

    /// <summary>Capital letters after white space, hyphens and opening brackets.</summary>
    public static object Title(RenderContext context, object? value, Arguments arguments)
    {
        var text = PyFormat.Str(context, value);
        var result = new StringBuilder(text.Length);
        var starts = true;
        foreach (var rune in text.EnumerateRunes())
        {
            result.Append(starts ? Rune.ToUpperInvariant(rune) : Rune.ToLowerInvariant(rune));
            starts = rune.IsBmp && (PyText.IsSpace((char)rune.Value) || rune.Value is '-' or '(' or '{' or '[' or '<');
        }
        return result.ToString();
    }

    public static object Replace(RenderContext context, object? value, Arguments arguments)
    {
        var (old, replacement) = (PyFormat.Str(context, arguments.Take("old")), PyFormat.Str(context, arguments.Take("new")));
        return StringMethods.Replace(context, PyFormat.Str(context, value), old, replacement, arguments.TakeIntOrNone("count") ?? -1);
    }

    public static object Indent(RenderContext context, object? value, Arguments arguments)
    {
        var margin = arguments.Take("width", absent: 4L) switch
        {
            string text => text,
            var spaces => new string(' ', (int)Math.Clamp(PyTypes.ToIndex(spaces, "indent: width"), 0, 10_000)),
        };
        var first = arguments.TakeBool("first", absent: false);
        var blank = arguments.TakeBool("blank", absent: false);
        var lines = PyText.Lines(PyFormat.Str(context, value) + "\n");
        context.CheckSize(lines.Sum(line => (long)line.Length + margin.Length + 1));
        return string.Join("\n", lines.Select((line, i) => (i == 0 ? first : blank || line.Length > 0) ? margin + line : line));
    }

    public static object Center(RenderContext context, object? value, Arguments arguments) =>
        StringMethods.Pad(context, PyFormat.Str(context, value), arguments.TakeInt("width", 80), " ", centre: true, left: false);

    public static object Format(RenderContext context, object? value, Arguments arguments)
    {
        var positional = arguments.TakeRest();
        var named = new PyDict();
        foreach (var (name, argument) in arguments.TakeNamed()) named.Set(name, argument);
        return PercentFormat.Format(context, PyFormat.Str(context, value), positional, named.Count > 0 ? named : null);
    }

    public static object Truncate(RenderContext context, object? value, Arguments arguments)
    {
        var text = PyFormat.Str(context, value);
        var length = arguments.TakeInt("length", 255);
        var killWords = arguments.TakeBool("killwords", absent: false);
        var end = arguments.TakeString("end", "...");
        var leeway = arguments.TakeIntOrNone("leeway") ?? 5;
        var room = length - PyText.Length(end);
        if (room < 0) throw new TemplateError($"truncate: length must be at least that of '{end}'");
        if (PyText.Length(text) <= length + leeway) return text;
        var cut = text[..PyText.Position(text, (int)room)];
        if (killWords) return cut + end;
        var space = cut.LastIndexOf(' ');
        return (space >= 0 ? cut[..space] : cut) + end;
    }

    public static object UrlEncode(RenderContext context, object? value, Arguments arguments)
    {
        return value switch
        {
            PyDict dict => string.Join('&', dict.Entries.Select(entry => $"{QuoteField(entry.Key)}={QuoteField(entry.Value)}")),
            _ => Quote(value, "/"),
        };

        string QuoteField(object? part) => Quote(part, "").Replace("%20", "+", StringComparison.Ordinal);

        string Quote(object? part, string kept)
        {
            var result = new StringBuilder();
            foreach (var b in Encoding.UTF8.GetBytes(PyFormat.Str(context, part)))
            {
                if (char.IsAsciiLetterOrDigit((char)b) || "_.-~".Contains((char)b, StringComparison.Ordinal) || kept.Contains((char)b, StringComparison.Ordinal)) result.Append((char)b);
                else result.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
            return result.ToString();
        }
    }

    public static object Join(RenderContext context, object? value, Arguments arguments)
    {
        var separator = PyFormat.Str(context, arguments.Take("d", ""));
        var path = arguments.Take("attribute", absent: null);
        var items = PyTypes.Iterate(context, value).Select(item => PyFormat.Str(context, path is null ? item : Members.Path(item, path))).ToArray();
        context.CheckSize(items.Sum(item => (long)item.Length + separator.Length));
        return string.Join(separator, items);
    }
}
