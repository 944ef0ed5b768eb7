using System.Text.Json;
using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>The calls in earlier turns: clients send their arguments as text, most templates take them apart as an object.</summary>
internal static class EarlierCalls
{
    /// <summary>A copy of the messages with arguments that are JSON objects as such; null when there are none.</summary>
    public static JsonArray? Parsed(JsonArray messages)
    {
        JsonArray? copy = null;
        for (var m = 0; m < messages.Count; m++)
        {
            if (messages[m]?["tool_calls"] is not JsonArray calls) continue;
            for (var c = 0; c < calls.Count; c++)
            {
                if (calls[c] is not JsonObject || calls[c]!["function"] is not JsonObject function || ObjectOf(function["arguments"]) is not { } arguments) continue;
                copy ??= messages.DeepClone().AsArray();
                copy[m]!["tool_calls"]![c]!["function"]!["arguments"] = arguments;
            }
        }
        return copy;
    }

    private static JsonObject? ObjectOf(JsonNode? arguments)
    {
        if (arguments is not JsonValue value || !value.TryGetValue<string>(out var text)) return null;
        try { return JsonNode.Parse(text) as JsonObject; }
        catch (JsonException) { return null; }
    }
}
