using System.Text;
using System.Text.Json;
using StackExchange.Redis;

namespace NanoAspire.Ctrl.Store;

internal static class Json
{
    /// <summary>True when the text is one well-formed JSON object. Stored text can come from other writers.</summary>
    public static bool IsObject(RedisValue text)
    {
        if (text.IsNullOrEmpty) return false;
        var reader = new Utf8JsonReader((byte[]?)text);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException) { return false; }
    }

    /// <summary>Parses stored text that may be anything; null when it is not JSON.</summary>
    public static JsonDocument? TryParse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
        try { return JsonDocument.ParseValue(ref reader); }
        catch (JsonException) { return null; }
    }
}
