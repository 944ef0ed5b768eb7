using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NanoAspire.Protocol.OpenAI;

namespace NanoAspire.Engine.Server.Endpoints;

/// <summary>Answers failures in OpenAI's form as long as no byte of an answer has left.</summary>
internal sealed class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client left: there is nobody to answer.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            var problem = Problem.From(e);
            if (problem is null)
            {
                Log.RequestFailed(logger, e, http.Request.Path);
                problem = new(500, OpenAIError.Create("the engine failed to answer this request", "server_error", code: "internal_error"));
            }
            await problem.WriteAsync(http.Response, http.RequestAborted);
        }
    }
}
