using System.Text.Json;

namespace NanoAspire.Router.Requests;

/// <summary>What every chat request must look like whatever engine gets it. Values are the engine's to judge.</summary>
internal static class ChatShape
{
    private static readonly HashSet<string> PartTypes = new(StringComparer.Ordinal)
    {
        "text", "image_url", "image", "video_url", "video", "input_audio", "audio_url", "file", "refusal", "thinking", "input_text", "input_image",
    };

    /// <returns>Whether some part of a message is not text.</returns>
    /// <exception cref="BadRequestException">No messages, or one that is none.</exception>
    public static bool Check(JsonObjectBytes body)
    {
        var media = false;
        if (!body.Has("messages")) throw new BadRequestException("'messages' is required", "messages");
        var reader = body.Reader("messages");
        if (reader.TokenType is not JsonTokenType.StartArray) throw new BadRequestException("'messages' must be a list", "messages");
        var index = 0;
        for (; reader.Read() && reader.TokenType is not JsonTokenType.EndArray; index++)
        {
            if (reader.TokenType is not JsonTokenType.StartObject) throw new BadRequestException($"'messages[{index}]' must be an object", $"messages[{index}]");
            CheckMessage(ref reader, index, ref media);
        }
        if (index == 0) throw new BadRequestException("'messages' must not be empty", "messages");
        return media;
    }

    private static void CheckMessage(ref Utf8JsonReader reader, int index, ref bool media)
    {
        var role = false;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var isRole = reader.ValueTextEquals("role"u8);
            var isContent = reader.ValueTextEquals("content"u8);
            reader.Read();
            if (isRole) role = reader.TokenType is JsonTokenType.String;
            if (isContent && reader.TokenType is JsonTokenType.StartArray) CheckParts(ref reader, index, ref media);
            else reader.Skip();
        }
        if (!role) throw new BadRequestException($"'messages[{index}].role' must be a string", $"messages[{index}].role");
    }

    private static void CheckParts(ref Utf8JsonReader reader, int message, ref bool media)
    {
        for (var part = 0; reader.Read() && reader.TokenType is not JsonTokenType.EndArray; part++)
        {
            var at = $"messages[{message}].content[{part}]";
            if (reader.TokenType is JsonTokenType.String) continue;
            if (reader.TokenType is not JsonTokenType.StartObject) throw new BadRequestException($"'{at}' must be an object", at);
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                media |= !isType && !reader.ValueTextEquals("text"u8);
                reader.Read();
                if (isType && (reader.TokenType is not JsonTokenType.String || !PartTypes.Contains(reader.GetString()!)))
                    throw new BadRequestException($"'{at}.type' is not a known content part", $"{at}.type");
                reader.Skip();
            }
        }
    }
}
