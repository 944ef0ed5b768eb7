using System.Text.Json;
using System.Text.Unicode;

namespace NanoAspire.Engine.Loading;

/// <summary>JSON files of a model folder.</summary>
internal static class JsonFile
{
    private const long MaxBytes = 64 << 20;

    /// <exception cref="ModelLoadException">Unreadable, not JSON, or not an object.</exception>
    public static JsonDocument Read(string path)
    {
        var name = Path.GetFileName(path);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (file.Length > MaxBytes) throw new ModelLoadException($"{name}: {file.Length} bytes are too many for a model's JSON file");
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return Parse(bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes, name + ":");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException($"{name}: {e.Message}", e);
        }
    }

    /// <summary>An object all of whose names and strings are text, so that none of them can fail to be read later.</summary>
    /// <param name="json">Outlives the document.</param>
    /// <param name="what">Begins every message.</param>
    /// <exception cref="ModelLoadException">It is something else.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json, string what)
    {
        try
        {
            CheckText(json.Span, what);
            var document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Disallow });
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            throw new ModelLoadException($"{what} not a JSON object");
        }
        catch (JsonException e)
        {
            throw new ModelLoadException($"{what} not valid JSON: {OneLine.Of(e.Message)}", e);
        }
    }

    /// <summary>The parser looks neither at bytes within strings nor at escapes of half a character.</summary>
    private static void CheckText(ReadOnlySpan<byte> json, string what)
    {
        if (!Utf8.IsValid(json)) throw new ModelLoadException($"{what} not valid UTF-8");
        if (json.IndexOf("\\u"u8) < 0) return;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped) continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException e)
            {
                throw new ModelLoadException($"{what} not text: half of a surrogate pair in the string at byte {reader.TokenStartIndex}", e);
            }
        }
    }
}
