using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using NanoAspire.Dashboard.Api;
using NanoAspire.Dashboard.Auth;
using NanoAspire.Dashboard.Otlp;
using NanoAspire.Dashboard.Pages;
using NanoAspire.Dashboard.Resources;

namespace NanoAspire.Dashboard.Server;

/// <summary>All routes and the middleware in front of them.</summary>
internal sealed class DashboardEndpoints(
    DashboardOptions options, DashboardContext context, BrowserSession session, PortPolicy ports, ILogger<DashboardEndpoints> logger, CancellationToken stopping)
{
    /// <summary>Nothing is loaded from elsewhere, no inline script or style runs, nobody may frame the pages.</summary>
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public void Map(WebApplication app)
    {
        app.Use(GuardAsync);
        app.UseRouting();
        var intake = new OtlpIntake(options, context.Store);
        new OtlpEndpoints(intake).Map(app);
        new OtlpGrpcEndpoints(intake).Map(app);
        new TelemetryApi(context.Store, context.Time, stopping).Map(app);
        new LoginEndpoints(context, session).Map(app);
        new ResourceEndpoints(context, stopping).Map(app);
        app.MapPost("/telemetry/{signal}/clear", ClearAsync);
        new LiveEndpoint(context.Store.Changes, context.Time, stopping).Map(app);
        app.MapGet("/assets/{name}", Assets.WriteAsync);
        MapPage(app, "/", (request, _) => ResourcesPage.Render(context, request));
        MapPage(app, "/inference", (request, _) => InferencePage.Render(context, request));
        MapPage(app, "/consolelogs", (request, _) => ConsolePage.Render(context, request["name"]));
        MapPage(app, "/consolelogs/resource/{name}", (_, http) => ConsolePage.Render(context, Value(http, "name")));
        MapPage(app, "/structuredlogs", (request, _) => LogsPage.Render(context, request, resource: null));
        MapPage(app, "/structuredlogs/resource/{name}", (request, http) => LogsPage.Render(context, request, Value(http, "name")));
        MapPage(app, "/traces", (request, _) => TracesPage.Render(context, request, resource: null));
        MapPage(app, "/traces/resource/{name}", (request, http) => TracesPage.Render(context, request, Value(http, "name")));
        MapPage(app, "/traces/detail/{id}", (request, http) => TracePage.Render(context, request, Value(http, "id")));
        MapPage(app, "/metrics", (request, _) => MetricsPage.Render(context, request, resource: null));
        MapPage(app, "/metrics/resource/{name}", (request, http) => MetricsPage.Render(context, request, Value(http, "name")));
    }

    /// <summary>Forgets one signal; what arrives afterwards is shown again.</summary>
    private Task ClearAsync(HttpContext http)
    {
        if (!context.Store.Clear(Value(http, "signal")))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        if (http.Request.Headers.Accept.ToString().Contains("application/json", StringComparison.Ordinal))
        {
            return http.Response.WriteAsJsonAsync(new CommandOutcome(Succeeded: true, "Cleared"), ServerJson.Default.CommandOutcome, cancellationToken: http.RequestAborted);
        }
        http.Response.Redirect(Value(http, "signal") == "logs" ? "/structuredlogs" : $"/{Value(http, "signal")}");
        return Task.CompletedTask;
    }

    private static string Value(HttpContext http, string name) => (string)http.Request.RouteValues[name]!;

    /// <summary>The whole page, or with header <c>X-Fragment</c> what stands in <c>main</c>, for a page that refreshes itself.</summary>
    private void MapPage(WebApplication app, string pattern, Func<PageRequest, HttpContext, Page> render) => app.MapGet(pattern, async http =>
    {
        var request = new PageRequest(http.Request);
        if (FilterEditor.Added(request) is { } address)
        {
            http.Response.Redirect(address);
            return;
        }
        var page = render(request, http);
        http.Response.StatusCode = page.StatusCode;
        http.Response.ContentType = "text/html; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Vary = "X-Fragment";
        if (!http.Request.Headers.ContainsKey("X-Fragment"))
        {
            await http.Response.WriteAsync(Layout.Whole(context, page, http.Request.Cookies["theme"]), http.RequestAborted);
            return;
        }
        http.Response.Headers["X-Title"] = Uri.EscapeDataString($"{page.Title} · {context.Options.ApplicationName}");
        http.Response.Headers["X-Topics"] = Layout.Names(page.Topics);
        http.Response.Headers["X-Navigation"] = page.Navigation;
        await http.Response.WriteAsync(page.Body.Html, http.RequestAborted);
    });

    private async Task GuardAsync(HttpContext http, RequestDelegate next)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        var path = http.Request.Path;
        var isTelemetry = path.StartsWithSegments("/v1") || path.Value!.StartsWith(OtlpGrpcEndpoints.PathPrefix, StringComparison.Ordinal);
        if (http.Connection.LocalPort != ports.Ui && !isTelemetry) { http.Response.StatusCode = StatusCodes.Status404NotFound; return; }
        if (!isTelemetry && !IsOpen(path) && !MayLook(http))
        {
            var navigation = HttpMethods.IsGet(http.Request.Method) && http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal) && !http.Request.Headers.ContainsKey("X-Fragment");
            if (navigation) http.Response.Redirect($"/login?returnUrl={Uri.EscapeDataString(path + http.Request.QueryString)}");
            else http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }
        if (!isTelemetry && !HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method) && !IsSameOrigin(http.Request))
        {
            http.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested || stopping.IsCancellationRequested)
        {
            // The browser left, or the dashboard closes.
        }
        catch (Exception failure) when (failure is not OperationCanceledException && !http.Response.HasStarted)
        {
            logger.PageFailed(path, failure);
            http.Response.Clear();
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            await http.Response.WriteAsync("This page could not be made; the application host's log says why.", http.RequestAborted);
        }
    }

    private static bool IsOpen(PathString path) => path == "/login" || path.StartsWithSegments("/assets") || path == "/api/validatetoken";

    private bool MayLook(HttpContext http) =>
        session.IsSignedIn(http)
        || (http.Request.Path.StartsWithSegments("/api/telemetry") && Secrets.Equal(http.Request.Headers["X-API-Key"], options.ApiKey ?? options.OtlpApiKey!));

    /// <summary>Another site may make a browser post here, but not hide that it did.</summary>
    private static bool IsSameOrigin(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site is "same-origin" or "none";
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }
}
