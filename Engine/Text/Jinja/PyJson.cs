using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>JSON to the values of a template, and json.dumps back.</summary>
internal static class PyJson
{
    private const int MaxDepth = 100;

    /// <exception cref="TemplateError">The JSON nests too deeply, repeats a name in one object or holds half a surrogate pair.</exception>
    public static object? FromNode(JsonNode? node)
    {
        try
        {
            return FromNode(node, depth: 0);
        }
        catch (ArgumentException e)
        {
            throw new TemplateError($"an object repeats a name: {e.Message}");      // nodes are read lazily, and only now say so
        }
        catch (InvalidOperationException)
        {
            throw new TemplateError("a string has half a surrogate pair");
        }
    }

    private static object? FromNode(JsonNode? node, int depth)
    {
        if (depth > MaxDepth) throw new TemplateError("a value nests too deeply");
        switch (node)
        {
            case null: return null;
            case JsonArray array: return new PySequence([.. array.Select(item => FromNode(item, depth + 1))]);
            case JsonObject members:
                var dict = new PyDict();
                foreach (var (name, member) in members) dict.Set(name, FromNode(member, depth + 1));
                return dict;
            default: return FromValue(node);
        }
    }

    /// <exception cref="TemplateError">The text is not JSON.</exception>
    public static object? Parse(string text)
    {
        try
        {
            return FromNode(JsonNode.Parse(text));
        }
        catch (JsonException e)
        {
            throw new TemplateError($"from_json: not valid JSON at byte {e.BytePositionInLine + 1}");
        }
    }

    /// <summary>json.dumps: with an indent, items stand on lines of their own.</summary>
    public static string Dump(RenderContext context, object? value, JsonStyle style)
    {
        var builder = new StringBuilder();
        Append(context, builder, value, style, 0);
        return context.Made(builder.ToString());
    }

    private static object? FromValue(JsonNode node)
    {
        switch (node.GetValueKind())
        {
            case JsonValueKind.String: return node.GetValue<string>();
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            case JsonValueKind.Number:
                // A double that happens to be whole is written without a fraction: ask before looking at the text.
                if (node is JsonValue number && !number.TryGetValue<JsonElement>(out _) && number.TryGetValue<double>(out var d)) return d;
                return ParseNumber(node.ToJsonString());
            default: return null;
        }
    }

    private static object ParseNumber(string text) => text.AsSpan().IndexOfAny(".eE") >= 0
        ? double.Parse(text, CultureInfo.InvariantCulture)
        : text.Length < 1000 ? PyTypes.FromInteger(BigInteger.Parse(text, CultureInfo.InvariantCulture)) : throw new TemplateError("an integer has too many digits");

    private static void Append(RenderContext context, StringBuilder builder, object? value, JsonStyle style, int depth)
    {
        if (depth > MaxDepth) throw new TemplateError("tojson: a value nests too deeply");
        context.CheckSize(builder.Length);
        switch (value)
        {
            case string text: Quote(builder, text, style.EnsureAscii); break;
            case PySequence sequence:
                AppendAll('[', sequence.Items, item => Append(context, builder, item, style, depth + 1), ']');
                break;
            case PyDict dict:
                var entries = dict.Entries.Select(entry => (Key: KeyText(entry.Key), entry.Value));
                if (style.SortKeys) entries = entries.OrderBy(entry => entry.Key, Comparer<string>.Create((a, b) => PyCompare.Order(a, b)));
                AppendAll('{', entries, entry =>
                {
                    Quote(builder, entry.Key, style.EnsureAscii);
                    builder.Append(style.KeySeparator);
                    Append(context, builder, entry.Value, style, depth + 1);
                }, '}');
                break;
            default: builder.Append(Scalar(value)); break;
        }

        void AppendAll<T>(char open, IEnumerable<T> items, Action<T> append, char close)
        {
            builder.Append(open);
            var first = true;
            foreach (var item in items)
            {
                if (!first) builder.Append(style.ItemSeparator);
                first = false;
                NewLine(depth + 1);
                append(item);
            }
            if (!first) NewLine(depth);
            builder.Append(close);
        }

        void NewLine(int level)
        {
            if (style.Indent is null) return;
            builder.Append('\n');
            for (var i = 0; i < level; i++) builder.Append(style.Indent);
        }
    }

    private static string Scalar(object? value) => value switch
    {
        null => "null",
        bool b => b ? "true" : "false",
        long n => n.ToString(CultureInfo.InvariantCulture),
        BigInteger n => n.ToString(CultureInfo.InvariantCulture),
        double.NaN => "NaN",
        double.PositiveInfinity => "Infinity",
        double.NegativeInfinity => "-Infinity",
        double d => PyNumbers.Repr(d),
        _ => throw new TemplateError($"Object of type {PyTypes.Name(value)} is not JSON serializable"),
    };

    private static string KeyText(object? key) => key switch
    {
        string text => text,
        null or bool or long or BigInteger or double => Scalar(key),
        _ => throw new TemplateError($"keys must be str, int, float, bool or None, not {PyTypes.Name(key)}"),
    };

    private static void Quote(StringBuilder builder, string text, bool ensureAscii)
    {
        builder.Append('"');
        foreach (var c in text)
        {
            switch (c)
            {
                case '"': builder.Append("\\\""); break;
                case '\\': builder.Append("\\\\"); break;
                case '\n': builder.Append("\\n"); break;
                case '\r': builder.Append("\\r"); break;
                case '\t': builder.Append("\\t"); break;
                case '\b': builder.Append("\\b"); break;
                case '\f': builder.Append("\\f"); break;
                default:
                    if (c < ' ' || (ensureAscii && c > '~')) builder.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                    else builder.Append(c);
                    break;
            }
        }
        builder.Append('"');
    }
}

/// <summary>The options of json.dumps. A null indent keeps everything on one line.</summary>
internal sealed record JsonStyle(string? Indent, string ItemSeparator, string KeySeparator, bool EnsureAscii, bool SortKeys);
