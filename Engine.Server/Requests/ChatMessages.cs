using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Server.Requests;

/// <summary>Validates <c>messages</c> and turns lists of text parts into the plain strings that chat templates expect.</summary>
internal static class ChatMessages
{
    private const int Most = 4096;

    public static JsonArray Parse(JsonFields fields)
    {
        var value = fields.Find("messages") ?? throw new BadRequestException("'messages' is required", "messages");
        if (value.ValueKind != JsonValueKind.Array) throw JsonFields.Wrong("messages", "a list");
        var count = value.GetArrayLength();
        if (count == 0) throw new BadRequestException("'messages' must not be empty", "messages");
        if (count > Most) throw new BadRequestException($"'messages' takes at most {Most} messages", "messages");
        var messages = new JsonArray();
        for (var i = 0; i < count; i++) messages.Add(ParseOne(value[i], $"messages[{i}]"));
        return messages;
    }

    private static JsonObject ParseOne(JsonElement value, string at)
    {
        if (value.ValueKind != JsonValueKind.Object) throw JsonFields.Wrong(at, "an object");
        var message = JsonObject.Create(value)!;
        if (!value.TryGetProperty("role", out var role) || role.ValueKind != JsonValueKind.String || role.GetString() is "")
            throw new BadRequestException($"'{at}.role' is required", $"{at}.role");
        if (!value.TryGetProperty("content", out var content) || content.ValueKind == JsonValueKind.Null)
        {
            // An assistant turn that only calls tools has no content.
            if (!role.ValueEquals("assistant")) throw new BadRequestException($"'{at}.content' is required", $"{at}.content");
            message["content"] = null;
            return message;
        }
        message["content"] = content.ValueKind switch
        {
            JsonValueKind.String => content.GetString(),
            JsonValueKind.Array => JoinTextParts(content, at),
            _ => throw JsonFields.Wrong($"{at}.content", "a string or a list of parts"),
        };
        return message;
    }

    private static string JoinTextParts(JsonElement parts, string at)
    {
        var text = new StringBuilder();
        foreach (var part in parts.EnumerateArray())
        {
            var type = part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var t) && t.ValueKind == JsonValueKind.String ? t.GetString() : null;
            if (type != "text" || !part.TryGetProperty("text", out var value) || value.ValueKind != JsonValueKind.String)
                throw new BadRequestException($"'{at}.content' has a part of type '{type ?? "?"}'; this model takes text only", $"{at}.content");
            text.Append(value.GetString());
        }
        return text.ToString();
    }
}
