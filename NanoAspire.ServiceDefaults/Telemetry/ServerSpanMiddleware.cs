using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace NanoAspire.ServiceDefaults.Telemetry;

/// <summary>
/// Fills the server span that the framework starts without tags, by the HTTP semantic conventions,
/// and drops the spans of endpoints marked <see cref="UntracedEndpoint"/>.
/// </summary>
internal sealed class ServerSpanMiddleware(RequestDelegate next, bool redactQuery)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is not { IsAllDataRequested: true } span)
        {
            await next(context);
            return;
        }
        Begin(span, context.Request);
        try
        {
            await next(context);
            End(span, context, context.Response.StatusCode);
        }
        catch (Exception exception)
        {
            End(span, context, StatusCodes.Status500InternalServerError);
            span.AddException(exception);
            span.SetTag("error.type", exception.GetType().FullName);
            throw;
        }
    }

    private void Begin(Activity span, HttpRequest request)
    {
        span.DisplayName = request.Method;
        span.SetTag("http.request.method", request.Method);
        span.SetTag("url.scheme", request.Scheme);
        span.SetTag("url.path", request.PathBase.Add(request.Path).Value);
        if (request.QueryString.HasValue) span.SetTag("url.query", redactQuery ? Redact(request.Query) : request.QueryString.Value![1..]);
        if (request.Host.HasValue)
        {
            span.SetTag("server.address", request.Host.Host);
            if (request.Host.Port is { } port) span.SetTag("server.port", port);
        }
        if (request.Headers.UserAgent is [{ Length: > 0 } agent, ..]) span.SetTag("user_agent.original", agent);
        if (request.Protocol.Split('/') is [_, var version]) span.SetTag("network.protocol.version", version);
    }

    private static void End(Activity span, HttpContext context, int statusCode)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<UntracedEndpoint>() is not null)
        {
            span.IsAllDataRequested = false;
            span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            return;
        }
        if ((endpoint as RouteEndpoint)?.RoutePattern.RawText is { } route)
        {
            span.SetTag("http.route", route);
            span.DisplayName = $"{context.Request.Method} {route}";
        }
        span.SetTag("http.response.status_code", statusCode);
        if (statusCode < 500) return;
        span.SetTag("error.type", statusCode.ToString(CultureInfo.InvariantCulture));
        span.SetStatus(ActivityStatusCode.Error);
    }

    private static string Redact(IQueryCollection query) => string.Join('&', query.Keys.Select(key => $"{key}=Redacted"));
}
