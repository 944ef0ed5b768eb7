using NanoAspire.Protocol.OpenAI;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Api;

/// <summary>What no route takes, in OpenAI's form.</summary>
internal static class FallbackEndpoint
{
    public static Task HandleAsync(HttpContext http) =>
        new ErrorReply(404, OpenAIError.InvalidRequest($"There is no {http.Request.Method} {http.Request.Path}.", code: "not_found")).WriteAsync(http.Response, http.RequestAborted);
}
