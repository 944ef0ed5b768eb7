using System.Buffers;
using System.Text.Json;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Stages;

/// <summary>Answers from a prefill reply that is already complete: as it is, or told again as the stream the client asked for.</summary>
internal static class FirstTokenAnswer
{
    private static readonly JsonWriterOptions Json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static async Task WriteAsync(HttpContext http, InferenceRequest request, RequestReport report, byte[] body, CancellationToken ct)
    {
        AnswerFacts.Read(body, report);
        report.Outcome = RequestOutcome.Completed;
        if (request.Stream)
        {
            var events = ToStream(body, request.IncludeUsage);
            if (!http.Response.HasStarted)
            {
                http.Response.ContentType = "text/event-stream";
                http.Response.Headers.CacheControl = "no-cache";
                http.Response.Headers["X-Accel-Buffering"] = "no";
            }
            if (request.Progress is { Moves: > 0 } progress) events = progress.Pass(events.Span, out _);
            await http.Response.Body.WriteAsync(events, ct);
        }
        else
        {
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = body.Length;
            await http.Response.Body.WriteAsync(body, ct);
        }
    }

    internal static ReadOnlyMemory<byte> ToStream(byte[] body, bool includeUsage)
    {
        using var json = JsonDocument.Parse(body);
        var answer = json.RootElement;
        var output = new ArrayBufferWriter<byte>(body.Length * 2);
        var chat = answer.TryGetProperty("object", out var kind) && kind.ValueEquals("chat.completion");
        foreach (var choice in answer.GetProperty("choices").EnumerateArray())
        {
            if (!chat)
            {
                Event(output, answer, "text_completion", includeUsage, writer => choice.WriteTo(writer));
                continue;
            }
            Event(output, answer, "chat.completion.chunk", includeUsage, writer => WriteChoice(writer, choice, Part.Opening));
            Event(output, answer, "chat.completion.chunk", includeUsage, writer => WriteChoice(writer, choice, Part.Content));
            Event(output, answer, "chat.completion.chunk", includeUsage, writer => WriteChoice(writer, choice, Part.Finish));
        }
        if (includeUsage && answer.TryGetProperty("usage", out var usage))
            Event(output, answer, chat ? "chat.completion.chunk" : "text_completion", includeUsage, choice: null, usage);
        output.Write("data: [DONE]\n\n"u8);
        return output.WrittenMemory;
    }

    private static void Event(ArrayBufferWriter<byte> output, JsonElement answer, string kind, bool includeUsage, Action<Utf8JsonWriter>? choice, JsonElement? usage = null)
    {
        output.Write("data: "u8);
        using (var writer = new Utf8JsonWriter(output, Json))
        {
            writer.WriteStartObject();
            foreach (var name in (string[])["id", "created", "model", "system_fingerprint"])
            {
                if (!answer.TryGetProperty(name, out var value)) continue;
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }
            writer.WriteString("object", kind);
            writer.WriteStartArray("choices");
            choice?.Invoke(writer);
            writer.WriteEndArray();
            if (usage is { } counts)
            {
                writer.WritePropertyName("usage");
                counts.WriteTo(writer);
            }
            else if (includeUsage) writer.WriteNull("usage");
            writer.WriteEndObject();
        }
        output.Write("\n\n"u8);
    }

    private static void WriteChoice(Utf8JsonWriter writer, JsonElement choice, Part part)
    {
        writer.WriteStartObject();
        foreach (var member in choice.EnumerateObject())
        {
            // What stands beside the message (logprobs, token ids) goes with its content.
            if (member.Name is "index" || (part is Part.Content && member.Name is not ("message" or "finish_reason"))) member.WriteTo(writer);
        }
        writer.WriteStartObject("delta");
        if (part is Part.Opening) WriteOpening(writer);
        else if (part is Part.Content && choice.TryGetProperty("message", out var message)) WriteContent(writer, message);
        writer.WriteEndObject();
        writer.WritePropertyName("finish_reason");
        if (part is Part.Finish && choice.TryGetProperty("finish_reason", out var reason)) reason.WriteTo(writer);
        else writer.WriteNullValue();
        writer.WriteEndObject();
    }

    private static void WriteOpening(Utf8JsonWriter writer)
    {
        writer.WriteString("role", "assistant");
        writer.WriteString("content", "");
    }

    private static void WriteContent(Utf8JsonWriter writer, JsonElement message)
    {
        foreach (var member in message.EnumerateObject())
        {
            if (member.Name is "role" || member.Value.ValueKind is JsonValueKind.Null) continue;
            if (member.Name is not "tool_calls")
            {
                member.WriteTo(writer);
                continue;
            }
            writer.WriteStartArray("tool_calls");
            var index = 0;
            foreach (var call in member.Value.EnumerateArray())
            {
                writer.WriteStartObject();
                writer.WriteNumber("index", call.TryGetProperty("index", out var place) ? place.GetInt32() : index);
                index++;
                foreach (var part in call.EnumerateObject().Where(static part => part.Name is not "index")) part.WriteTo(writer);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
    }

    /// <summary>The chunks a streamed choice consists of.</summary>
    private enum Part
    {
        Opening,
        Content,
        Finish,
    }
}
