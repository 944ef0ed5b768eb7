using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>Things an engine may say.</summary>
internal static class Replies
{
    public const string Usage = """{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}""";

    /// <summary>"hello world", streamed when asked to, with usage when asked for.</summary>
    public static async Task HelloWorld(HttpContext http, RecordedRequest request)
    {
        var chat = request.Path.EndsWith("/chat/completions", StringComparison.Ordinal);
        var body = request.Body;
        if (body["stream"]?.GetValue<bool>() is not true)
        {
            await JsonAsync(http, 200, chat
                ? $$"""{"id":"c1","object":"chat.completion","created":7,"model":"m1","choices":[{"index":0,"message":{"role":"assistant","content":"hello world"},"finish_reason":"stop"}],"usage":{{Usage}}}"""
                : $$"""{"id":"c1","object":"text_completion","created":7,"model":"m1","choices":[{"index":0,"text":"hello world","finish_reason":"stop"}],"usage":{{Usage}}}""");
            return;
        }
        var usage = body["stream_options"]?["include_usage"]?.GetValue<bool>() is true;
        BeginStream(http);
        foreach (var delta in (string[])["""{"role":"assistant","content":""}""", """{"content":"hello"}""", """{"content":" world"}"""])
            await SendAsync(http, Chunk(delta, usage: usage ? "null" : null));
        await SendAsync(http, Chunk("{}", "stop", usage ? "null" : null));
        if (usage) await SendAsync(http, $$"""data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m1","choices":[],"usage":{{Usage}}}""" + "\n\n");
        await SendAsync(http, "data: [DONE]\n\n");
    }

    /// <summary>A prefill reply that parks one sequence.</summary>
    public static Func<HttpContext, RecordedRequest, Task> Parked(long sequence = 41, string migration = "TUlH") => (http, _) =>
        JsonAsync(http, 200, $$$"""{"id":"p","object":"chat.completion","created":1,"model":"m1","choices":[],"kv_transfer_params":{"migration":"{{{migration}}}","seq_id":{{{sequence}}}}}""");

    /// <summary>An encoder's reply: slots counted from 1, which say whose they are and of what.</summary>
    public static Func<HttpContext, RecordedRequest, Task> Encoded(string encoder)
    {
        var slots = 0L;
        return (http, request) => JsonAsync(http, 200, new JsonObject
        {
            ["vision_slots"] = new JsonArray(new JsonObject
            {
                ["encoder_engine_id"] = encoder,
                ["slot_id"] = Interlocked.Increment(ref slots),
                ["num_tokens"] = 4,
                ["digest"] = (string?)request.Body["images"]![0]!["digest"],
            }),
        }.ToJsonString());
    }

    public static Func<HttpContext, RecordedRequest, Task> Json(int status, string body) => (http, _) => JsonAsync(http, status, body);

    public static Func<HttpContext, RecordedRequest, Task> Error(int status, string type = "server_error", string? code = null, string message = "went wrong") =>
        Json(status, new JsonObject { ["error"] = new JsonObject { ["message"] = message, ["type"] = type, ["param"] = null, ["code"] = code } }.ToJsonString());

    /// <summary>The connection breaks without an answer.</summary>
    public static Task Death(HttpContext http, RecordedRequest request)
    {
        http.Abort();
        return Task.CompletedTask;
    }

    /// <summary>Streams "hello", then waits for the gate, then does the rest.</summary>
    public static Func<HttpContext, RecordedRequest, Task> HelloThen(Func<HttpContext, Task> then) => async (http, _) =>
    {
        BeginStream(http);
        await SendAsync(http, Chunk("""{"role":"assistant","content":""}"""));
        await SendAsync(http, Chunk("""{"content":"hello"}"""));
        await then(http);
    };

    public static string Chunk(string delta, string? finish = null, string? usage = null) =>
        $$"""data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m1","choices":[{"index":0,"delta":{{delta}},"finish_reason":{{(finish is null ? "null" : $"\"{finish}\"")}}}]{{(usage is null ? "" : $",\"usage\":{usage}")}}}""" + "\n\n";

    public static void BeginStream(HttpContext http) => http.Response.ContentType = "text/event-stream";

    public static async Task SendAsync(HttpContext http, string text)
    {
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }

    public static Task ForeverAsync(HttpContext http) => Task.Delay(Timeout.Infinite, http.RequestAborted);

    public static async Task JsonAsync(HttpContext http, int status, string body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = Encoding.UTF8.GetByteCount(body);
        http.Response.Headers["x-engine-load"] = 0.ToString(CultureInfo.InvariantCulture);
        await http.Response.WriteAsync(body, http.RequestAborted);
    }
}
