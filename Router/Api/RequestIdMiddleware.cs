using NanoAspire.Protocol.OpenAI;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Api;

/// <summary>Gives every request its id, in the answer as well, and turns what nobody expected into an OpenAI error.</summary>
internal sealed class RequestIdMiddleware(RequestDelegate next, ILogger<RequestIdMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        http.Response.Headers[RequestIds.Header] = RequestIds.Of(http.Request);
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            Log.Unexpected(logger, e);
            await new ErrorReply(500, OpenAIError.Create("The router failed to handle the request.", "server_error", code: "internal_error")).WriteAsync(http.Response, http.RequestAborted);
        }
    }
}
