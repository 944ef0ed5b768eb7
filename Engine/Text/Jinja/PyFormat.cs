using System.Globalization;
using System.Numerics;
using System.Text;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>str() and repr().</summary>
internal static class PyFormat
{
    private const int MaxDepth = 100;

    public static string Str(RenderContext context, object? value) => value switch
    {
        string text => text,
        Undefined => "",
        _ => Repr(context, value),
    };

    public static string Repr(RenderContext context, object? value)
    {
        switch (value)
        {
            case string text: return Quote(text);
            case PySequence or PyDict or Namespace:
                var builder = new StringBuilder();
                Append(context, builder, value, 0);
                return context.Made(builder.ToString());
            default: return Scalar(value);
        }
    }

    private static void Append(RenderContext context, StringBuilder builder, object? value, int depth)
    {
        if (depth > MaxDepth) throw new TemplateError("maximum recursion depth exceeded while printing a value");
        context.CheckSize(builder.Length);
        switch (value)
        {
            case string text:
                builder.Append(Quote(text));
                break;
            case PySequence sequence:
                AppendAll(sequence.IsTuple ? "(" : "[", sequence.Items, item => Append(context, builder, item, depth + 1),
                    sequence.IsTuple ? sequence.Items.Count == 1 ? ",)" : ")" : "]");
                break;
            case PyDict dict:
                AppendAll("{", dict.Entries, Entry, "}");
                break;
            case Namespace names:
                AppendAll("<Namespace {", names.Attributes.Select(pair => ((object?)pair.Key, pair.Value)), Entry, "}>");
                break;
            default:
                builder.Append(Scalar(value));
                break;
        }

        void Entry((object? Key, object? Value) entry)
        {
            Append(context, builder, entry.Key, depth + 1);
            builder.Append(": ");
            Append(context, builder, entry.Value, depth + 1);
        }

        void AppendAll<T>(string open, IEnumerable<T> items, Action<T> append, string close)
        {
            builder.Append(open);
            var first = true;
            foreach (var item in items)
            {
                if (!first) builder.Append(", ");
                first = false;
                append(item);
            }
            builder.Append(close);
        }
    }

    private static string Scalar(object? value) => value switch
    {
        null => "None",
        bool b => b ? "True" : "False",
        long n => n.ToString(CultureInfo.InvariantCulture),
        BigInteger n => n.ToString(CultureInfo.InvariantCulture),
        double d => PyNumbers.Repr(d),
        Undefined => "Undefined",
        Function function => $"<function {function.Name}>",
        Macro macro => $"<Macro '{macro.Name}'>",
        _ => $"<{PyTypes.Name(value)}>",
    };

    /// <summary>Single quotes, unless that would need escaping and double quotes would not.</summary>
    private static string Quote(string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var builder = new StringBuilder(text.Length + 2).Append(quote);
        foreach (var rune in text.EnumerateRunes())
        {
            var point = rune.Value;
            if (point == quote || point == '\\') builder.Append('\\').Append((char)point);
            else if (point == '\n') builder.Append("\\n");
            else if (point == '\r') builder.Append("\\r");
            else if (point == '\t') builder.Append("\\t");
            else if (IsPrintable(rune)) builder.Append(rune.ToString());
            else if (point < 0x100) builder.Append(CultureInfo.InvariantCulture, $"\\x{point:x2}");
            else if (point < 0x10000) builder.Append(CultureInfo.InvariantCulture, $"\\u{point:x4}");
            else builder.Append(CultureInfo.InvariantCulture, $"\\U{point:x8}");
        }
        return builder.Append(quote).ToString();
    }

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
