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
        CheckCalls(value, at);
        // Templates know the older name.
        if (message["reasoning_content"] is null && message["reasoning"] is JsonValue reasoning) message["reasoning_content"] = reasoning.DeepClone();
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

    private static void CheckCalls(JsonElement message, string at)
    {
        if (new JsonFields(message).Find("tool_calls") is not { } calls) return;
        if (calls.ValueKind != JsonValueKind.Array) throw JsonFields.Wrong($"{at}.tool_calls", "a list");
        for (var i = 0; i < calls.GetArrayLength(); i++)
        {
            if (calls[i].ValueKind != JsonValueKind.Object || !calls[i].TryGetProperty("function", out var function) || function.ValueKind != JsonValueKind.Object
                || !function.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
                throw new BadRequestException($"'{at}.tool_calls[{i}]' is not a call of a function with a name", $"{at}.tool_calls[{i}]");
        }
    }

    private static string JoinTextParts(JsonElement parts, string at)
    {
        var text = new StringBuilder();
        for (var i = 0; i < parts.GetArrayLength(); i++)
        {
            var part = parts[i];
            var type = part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var t) && t.ValueKind == JsonValueKind.String ? t.GetString() : null;
            if (type != "text" || !part.TryGetProperty("text", out var value) || value.ValueKind != JsonValueKind.String)
                throw new BadRequestException($"'{at}.content[{i}]' is of type '{type ?? "?"}'; this model takes text only", $"{at}.content[{i}]");
            text.Append(value.GetString());
        }
        return text.ToString();
    }
}
