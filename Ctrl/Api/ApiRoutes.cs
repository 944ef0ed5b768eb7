using System.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Api;

internal delegate Task<Reply> ApiHandler(ApiCall call, CancellationToken ct);

/// <summary>What a route does to the store, and so who may call it and how it is audited.</summary>
internal enum Effect
{
    Read,
    /// <summary>Extends a lease, or comes as often from every agent: guarded as a write, and no line in the log of an operator.</summary>
    Renew,
    Write,
    /// <summary>Hands out Redis credentials: guarded as a write, changes nothing.</summary>
    Secret,
}

/// <summary>The one path that all API calls take: token, body, scope, handler, errors, audit, metrics.</summary>
internal static class ApiRoutes
{
    public static void MapApi(this IEndpointRouteBuilder routes, string path, Effect effect, ApiHandler handler) =>
        routes.MapPost(path, http => ServeAsync(http, path.TrimStart('/'), effect, handler));

    private static async Task ServeAsync(HttpContext http, string action, Effect effect, ApiHandler handler)
    {
        var started = Stopwatch.GetTimestamp();
        var services = http.RequestServices;
        var logger = services.GetRequiredService<ILogger<ApiCall>>();
        var tokens = services.GetRequiredService<CtrlOptions>().Tokens;
        var guarded = effect != Effect.Read;
        var caller = "anyone";
        ApiCall? call = null;
        Reply reply;
        try
        {
            var authorization = http.Request.Headers.Authorization.ToString();
            if (guarded && !tokens.IsKnown(authorization)) throw new ApiException(StatusCodes.Status401Unauthorized, "a bearer token is needed");
            using var document = await BodyReader.ReadAsync(http.Request, http.RequestAborted);
            var body = new Body(document.RootElement);
            var scope = body.OptionalText("scope") ?? "";
            if (Names.RefuseScope(scope) is { } reason) throw ApiException.Unfit("scope", reason);
            call = new ApiCall(http, body, scope, services.GetRequiredService<ICtrlStore>());
            var access = tokens.Check(authorization, scope, guarded);
            caller = access.Caller;
            if (!access.Allowed) throw new ApiException(StatusCodes.Status403Forbidden, "this token does not open this scope");
            reply = await handler(call, http.RequestAborted);
        }
        catch (ApiException e) { reply = Reply.Error(e.Status, e.Message); }
        catch (StoreUnavailableException e) { reply = Reply.Error(StatusCodes.Status503ServiceUnavailable, $"Redis: {e.Message}"); }
        catch (StoreCommandException e) { reply = Reply.Error(StatusCodes.Status500InternalServerError, $"Redis: {e.Message}"); }
        catch (StoreFullException e) { reply = Reply.Error(StatusCodes.Status507InsufficientStorage, e.Message); }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested) { return; }

        if (effect is Effect.Write or Effect.Secret) logger.Audit(action, call?.Subject ?? "-", call?.Scope ?? "", Remote(http), caller, reply.Status);
        else if (effect == Effect.Renew) logger.AuditRenewal(action, call?.Subject ?? "-", call?.Scope ?? "", Remote(http), caller, reply.Status);
        var tags = new TagList { { "action", action }, { "status", reply.Status } };
        Telemetry.Calls.Add(1, tags);
        Telemetry.CallDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, tags);

        if (reply.Status == StatusCodes.Status503ServiceUnavailable) http.Response.Headers.RetryAfter = "1";
        if (reply.Status == StatusCodes.Status401Unauthorized) http.Response.Headers.WWWAuthenticate = "Bearer";
        http.Response.StatusCode = reply.Status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = reply.Body.Length;
        await http.Response.Body.WriteAsync(reply.Body, http.RequestAborted);
    }

    private static string Remote(HttpContext http) => http.Features.Get<IHttpConnectionFeature>()?.RemoteIpAddress?.ToString() ?? "-";
}
