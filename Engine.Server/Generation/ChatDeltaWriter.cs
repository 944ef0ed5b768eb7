using System.Text.Json;
using NanoAspire.Answers;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>Members of a chat event's <c>delta</c>: each kind of part once, since an event has one place for each.</summary>
internal static class ChatDeltaWriter
{
    /// <param name="json">Inside the <c>delta</c>.</param>
    /// <param name="parts">Of one event.</param>
    /// <param name="mirror">Writes reasoning as <c>reasoning</c>, too.</param>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<AnswerDelta> parts, bool mirror)
    {
        if (Join(parts, AnswerDeltaKind.Reasoning) is { Length: > 0 } reasoning)
        {
            json.WriteString("reasoning_content", reasoning);
            if (mirror) json.WriteString("reasoning", reasoning);
        }
        if (Join(parts, AnswerDeltaKind.Content) is { Length: > 0 } content) json.WriteString("content", content);
        if (!parts.Any(static part => part.CallIndex >= 0)) return;
        json.WriteStartArray("tool_calls");
        foreach (var call in parts.Where(static part => part.CallIndex >= 0).GroupBy(static part => part.CallIndex))
        {
            json.WriteStartObject();
            json.WriteNumber("index", call.Key);
            var begin = call.FirstOrDefault(static part => part.Kind is AnswerDeltaKind.Call);
            if (begin.Id is not null)
            {
                json.WriteString("id", begin.Id);
                json.WriteString("type", "function");
            }
            json.WriteStartObject("function");
            if (begin.Name is not null) json.WriteString("name", begin.Name);
            json.WriteString("arguments", string.Concat(call.Select(static part => part.Text)));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string Join(IReadOnlyList<AnswerDelta> parts, AnswerDeltaKind kind) =>
        string.Concat(parts.Where(part => part.Kind == kind).Select(static part => part.Text));
}
