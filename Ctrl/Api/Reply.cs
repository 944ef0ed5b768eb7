using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace NanoAspire.Ctrl.Api;

/// <summary>A finished JSON answer.</summary>
internal readonly record struct Reply(int Status, ReadOnlyMemory<byte> Body)
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static Reply Ok(string? message = null) => Outcome(StatusCodes.Status200OK, "ok", message);

    /// <summary>A missing thing is a 200 with a status word: clients test the word.</summary>
    public static Reply NotFound(string message) => Outcome(StatusCodes.Status200OK, "not_found", message);

    public static Reply Error(int status, string message) => Outcome(status, "error", message);

    public static Reply Json(Action<Utf8JsonWriter> write) => Json(StatusCodes.Status200OK, write);

    public static Reply Json(int status, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Relaxed)) write(json);
        return new Reply(status, buffer.WrittenMemory);
    }

    private static Reply Outcome(int code, string status, string? message) => Json(code, json =>
    {
        json.WriteStartObject();
        json.WriteString("status", status);
        if (message is not null) json.WriteString("message", message);
        json.WriteEndObject();
    });
}
