using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Answers;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Parsing;

/// <summary>
/// Rewrites one chat answer of an engine that sends the model's text as it is: reasoning and tool calls leave the content and go
/// where clients look for them. Everything else in the answer stays.
/// </summary>
internal sealed class AnswerRewriter(ParsingOptions options, InferenceRequest request)
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ReasoningFormat? _reasoning = options.Reasoning is null ? null : ReasoningFormat.Find(options.Reasoning);
    private readonly ToolCallFormat? _calls = options.ToolCalls is null || !WantsCalls(request) ? null : ToolCallFormat.Find(options.ToolCalls);
    private readonly ToolSchemas _schemas = SchemasOf(request);
    private readonly bool _parallel = request.Body.Boolean("parallel_tool_calls") is not false;
    private readonly Dictionary<int, AnswerParser> _parsers = [];
    private readonly ArrayBufferWriter<byte> _output = new(1024);

    /// <summary>Null where there is nothing to rewrite: not a chat, or nothing to look for.</summary>
    public static AnswerRewriter? For(ParsingOptions options, InferenceRequest request) =>
        options.Enabled && request.Endpoint is InferenceEndpoint.ChatCompletions && (options.Reasoning is not null || WantsCalls(request)) ? new(options, request) : null;

    /// <summary>Whole events as the client gets them; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Pass(ReadOnlySpan<byte> events)
    {
        _output.ResetWrittenCount();
        while (!events.IsEmpty)
        {
            var length = SseEvents.FirstLength(events);
            if (length == 0) length = events.Length;
            var whole = events[..length];
            var rest = whole;
            if (SseEvents.TryNextData(ref rest, out var data) && data is [(byte)'{', ..] && !StreamTap.IsError(data) && Parse(data) is { } chunk && Rewrite(chunk))
            {
                _output.Write("data: "u8);
                Write(chunk);
                _output.Write("\n\n"u8);
            }
            else _output.Write(whole);
            events = events[length..];
        }
        return _output.WrittenMemory;
    }

    /// <summary>A whole answer as the client gets it; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Whole(ReadOnlyMemory<byte> body)
    {
        if (Parse(body.Span) is not { } answer || answer["choices"] is not JsonArray choices) return body;
        foreach (var choice in choices.OfType<JsonObject>())
        {
            if (choice["message"] is not JsonObject message || message["content"] is not JsonValue value || !value.TryGetValue<string>(out var text)) continue;
            var reason = choice["finish_reason"]?.ToString();
            var parser = NewParser();
            AnswerDelta[] parts = [.. parser.Append(text), .. parser.Finish(truncated: reason == "length")];
            Fill(message, parts, whole: true);
            if (message["content"] is null) message["content"] = null;
            if (parser.Calls > 0 && reason == "stop") choice["finish_reason"] = "tool_calls";
        }
        _output.ResetWrittenCount();
        Write(answer);
        return _output.WrittenMemory;
    }

    /// <returns>Whether the event has changed.</returns>
    private bool Rewrite(JsonObject chunk)
    {
        var changed = false;
        foreach (var choice in (chunk["choices"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if (choice["delta"] is not JsonObject delta) continue;
            var index = choice["index"] is JsonValue at && at.TryGetValue<int>(out var number) ? number : 0;
            if (!_parsers.TryGetValue(index, out var parser)) _parsers[index] = parser = NewParser();
            var parts = new List<AnswerDelta>();
            if (delta["content"] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0)
            {
                parts.AddRange(parser.Append(text));
                delta.Remove("content");
                changed = true;
            }
            if (choice["finish_reason"]?.ToString() is { } reason)
            {
                parts.AddRange(parser.Finish(truncated: reason == "length"));
                if (parser.Calls > 0 && reason == "stop") choice["finish_reason"] = "tool_calls";
                changed = true;
            }
            Fill(delta, parts, whole: false);
        }
        return changed;
    }

    private AnswerParser NewParser() => new(_reasoning, _reasoning?.OpenByDefault is true, _calls, _schemas, _parallel);

    private void Fill(JsonObject message, IReadOnlyList<AnswerDelta> parts, bool whole)
    {
        var content = Join(AnswerDeltaKind.Content);
        if (whole) message.Remove("content");
        if (content.Length > 0) message["content"] = content;
        if (Join(AnswerDeltaKind.Reasoning) is { Length: > 0 } reasoning)
        {
            message["reasoning_content"] = reasoning;
            if (options.MirrorReasoning) message["reasoning"] = reasoning;
        }
        var calls = new JsonArray();
        foreach (var call in parts.Where(static part => part.CallIndex >= 0).GroupBy(static part => part.CallIndex))
        {
            var begin = call.FirstOrDefault(static part => part.Kind is AnswerDeltaKind.Call);
            var function = new JsonObject { ["arguments"] = string.Concat(call.Select(static part => part.Text)) };
            if (begin.Name is not null) function.Insert(0, "name", begin.Name);
            var entry = new JsonObject();
            if (!whole) entry["index"] = call.Key;
            if (begin.Id is not null) (entry["id"], entry["type"]) = (begin.Id, "function");
            entry["function"] = function;
            calls.Add((JsonNode)entry);
        }
        if (calls.Count > 0) message["tool_calls"] = calls;

        string Join(AnswerDeltaKind kind) => string.Concat(parts.Where(part => part.Kind == kind).Select(static part => part.Text));
    }

    private static bool WantsCalls(InferenceRequest request) =>
        request.Body.KindOf("tools") is JsonTokenType.StartArray && request.Body.String("tool_choice") is not "none";

    private static ToolSchemas SchemasOf(InferenceRequest request)
    {
        if (!WantsCalls(request)) return ToolSchemas.None;
        using var tools = JsonDocument.Parse(request.Body.Value("tools"));
        return ToolSchemas.Read(tools.RootElement);
    }

    private static JsonObject? Parse(ReadOnlySpan<byte> json)
    {
        try { return JsonNode.Parse(json) as JsonObject; }
        catch (JsonException) { return null; }
    }

    private void Write(JsonObject json)
    {
        using var writer = new Utf8JsonWriter(_output, new JsonWriterOptions { Encoder = Relaxed.Encoder });
        json.WriteTo(writer);
    }
}
