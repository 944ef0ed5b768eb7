using System.Text.Json;
using Microsoft.AspNetCore.Http;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Engine.Transfer;
using NanoAspire.Protocol.OpenAI;

namespace NanoAspire.Engine.Server.Endpoints;

/// <summary>Every expected failure as a status and an OpenAI error.</summary>
internal sealed record Problem(int Status, OpenAIError Error, int? RetryAfterSeconds = null)
{
    public static Problem? From(Exception exception) => exception switch
    {
        BadRequestException e => new(e.Status, OpenAIError.InvalidRequest(e.Message, e.Param, e.Code)),
        EngineRejectedException { Code: EngineRejectedException.QueueFull } e => new(429, OpenAIError.Create(e.Message, "rate_limit_error", code: e.Code), 1),
        EngineRejectedException { Code: EngineRejectedException.ContextLengthExceeded or EngineRejectedException.InvalidToken } e =>
            new(400, OpenAIError.InvalidRequest(e.Message, "prompt", e.Code)),
        EngineRejectedException e => new(503, OpenAIError.Create(e.Message, "service_unavailable", code: e.Code), 1),
        KvTransferException e => new(503, OpenAIError.Create(e.Message, "kv_transfer_error", code: e.Code)),
        BadHttpRequestException { StatusCode: 413 } => new(413, OpenAIError.InvalidRequest("the request body is too large", code: "request_too_large")),
        BadHttpRequestException e => new(e.StatusCode, OpenAIError.InvalidRequest(e.Message)),
        JsonException e => new(400, OpenAIError.InvalidRequest($"the body is not valid JSON: {e.Message}")),
        _ => null,
    };

    public async Task WriteAsync(HttpResponse response, CancellationToken ct)
    {
        response.StatusCode = Status;
        if (RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        response.ContentType = "application/json";
        await response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(Error, OpenAIJson.Relaxed.OpenAIError), ct);
    }
}
