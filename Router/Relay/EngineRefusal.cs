using System.Text;
using Microsoft.Extensions.Primitives;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Relay;

/// <summary>An engine's refusal before the stage whose answer is the client's: the client's own fault, which no other engine will see differently.</summary>
internal sealed record EngineRefusal(int Status, byte[] Body, string? ContentType, StringValues RetryAfter)
{
    public static EngineRefusal Of(HttpResponseMessage response, byte[] body) => new(
        (int)response.StatusCode, body, response.Content.Headers.ContentType?.ToString(), response.Headers.TryGetValues("Retry-After", out var wait) ? new StringValues([.. wait]) : default);

    /// <summary>Status and body as the engine gave them; the error as an event where a comment has begun the stream.</summary>
    public async Task WriteAsync(HttpContext http, RequestReport report, CancellationToken ct)
    {
        report.Outcome = RequestOutcome.Rejected;
        report.ErrorCode = EngineErrorBody.Parse(Body).Code;
        if (http.Response.HasStarted)
        {
            // An event is one line.
            var line = Encoding.UTF8.GetString(Body).ReplaceLineEndings(" ");
            await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"data: {line}\n\n"), ct);
            return;
        }
        http.Response.StatusCode = Status;
        http.Response.ContentType = ContentType ?? "application/json";
        http.Response.ContentLength = Body.Length;
        if (RetryAfter.Count > 0) http.Response.Headers.RetryAfter = RetryAfter;
        await http.Response.Body.WriteAsync(Body, ct);
    }
}
