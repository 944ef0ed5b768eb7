using System.Globalization;
using System.Text;
using System.Text.Json;

namespace NanoAspire.Answers.Json;

/// <summary>Small pieces of JSON text.</summary>
internal static class JsonText
{
    /// <summary>The inside of a JSON string. Any piece of a text can be escaped by itself.</summary>
    public static void Escape(ReadOnlySpan<char> text, StringBuilder output)
    {
        foreach (var c in text)
        {
            switch (c)
            {
                case '"': output.Append("\\\""); break;
                case '\\': output.Append("\\\\"); break;
                case '\n': output.Append("\\n"); break;
                case '\r': output.Append("\\r"); break;
                case '\t': output.Append("\\t"); break;
                case < ' ': output.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)); break;
                default: output.Append(c); break;
            }
        }
    }

    public static string Escape(ReadOnlySpan<char> text)
    {
        var output = new StringBuilder(text.Length + 8);
        Escape(text, output);
        return output.ToString();
    }

    public static string Quote(ReadOnlySpan<char> text) => $"\"{Escape(text)}\"";

    /// <summary>The text when it is one JSON value, trimmed; else null.</summary>
    public static string? Valid(string text)
    {
        try
        {
            using var _ = JsonDocument.Parse(text);
            return text.Trim();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The string that a JSON string stands for; null when it is none.</summary>
    public static string? Unquote(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind is JsonValueKind.String ? document.RootElement.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)   // the second: half a surrogate pair
        {
            return null;
        }
    }
}
