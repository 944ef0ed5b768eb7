using System.Globalization;
using System.Text.Json;
using NanoAspire.Protocol.OpenAI;

namespace NanoAspire.Router.Relay;

/// <summary>An error as the client gets it: status, OpenAI envelope, and when to come back.</summary>
internal sealed record ErrorReply(int Status, OpenAIError Error, TimeSpan? RetryAfter = null)
{
    public string? Code => Error.Error.Code;

    public static ErrorReply NoCapacity(string model, string? reason = null) =>
        new(503, OpenAIError.Create($"No engine can take a request for '{model}' now{(reason is null ? "" : $": {reason.TrimEnd('.')}")}.", "service_unavailable", code: "no_capacity"), TimeSpan.FromSeconds(1));

    public static ErrorReply NodeFailed(string? reason) =>
        new(502, OpenAIError.Create($"The engines failed to serve the request{(reason is null ? "" : $": {reason.TrimEnd('.')}")}.", "upstream_error", code: "node_failed"));

    public static ErrorReply DeadlineExceeded() =>
        new(504, OpenAIError.Create("The request was not served in time.", "timeout_error", code: "deadline_exceeded"));

    public static ErrorReply Stopping() =>
        new(503, OpenAIError.Create("The router is shutting down.", "service_unavailable", code: "shutting_down"), TimeSpan.FromSeconds(1));

    public static ErrorReply TooLarge(long limit) =>
        new(413, OpenAIError.InvalidRequest($"The request body is larger than {limit} bytes.", code: "request_too_large"));

    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(Error, OpenAIJson.Relaxed.OpenAIError);

    public async Task WriteAsync(HttpResponse response, CancellationToken ct)
    {
        var body = ToUtf8();
        response.StatusCode = Status;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        if (Status == 401) response.Headers.WWWAuthenticate = "Bearer";
        if (RetryAfter is { } wait) response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await response.Body.WriteAsync(body, ct);
    }

    /// <summary>As the last event of a stream that has begun.</summary>
    public byte[] ToEvent() => [.. "data: "u8, .. ToUtf8(), .. "\n\n"u8];
}
