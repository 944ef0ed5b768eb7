using NanoAspire.Ctrl.Api;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Health;

internal static class HealthEndpoints
{
    public static void MapRootAndReadiness(this IEndpointRouteBuilder routes)
    {
        // The contract's liveness text: says that the process runs, not that Redis does.
        routes.MapMethods("/", ["GET", "HEAD"], http =>
        {
            http.Response.ContentType = "text/plain; charset=utf-8";
            return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.WriteAsync("NanoCtrl Server Running", http.RequestAborted);
        });
        routes.MapGet("/ready", ReadyAsync);
    }

    internal static async Task ReadyAsync(HttpContext http, ICtrlStore store)
    {
        Reply reply;
        try
        {
            await store.PingAsync(http.RequestAborted);
            reply = Reply.Ok();
        }
        catch (StoreUnavailableException e) { reply = Reply.Error(StatusCodes.Status503ServiceUnavailable, $"Redis: {e.Message}"); }
        catch (StoreCommandException e) { reply = Reply.Error(StatusCodes.Status503ServiceUnavailable, $"Redis: {e.Message}"); }
        http.Response.StatusCode = reply.Status;
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(reply.Body, http.RequestAborted);
    }
}
