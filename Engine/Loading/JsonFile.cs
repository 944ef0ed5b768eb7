using System.Text.Json;

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
            var json = JsonDocument.Parse(file, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Disallow });
            if (json.RootElement.ValueKind == JsonValueKind.Object) return json;
            json.Dispose();
            throw new ModelLoadException($"{name}: not a JSON object");
        }
        catch (JsonException e)
        {
            throw new ModelLoadException($"{name}: not valid JSON: {OneLine.Of(e.Message)}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException($"{name}: {e.Message}", e);
        }
    }
}
