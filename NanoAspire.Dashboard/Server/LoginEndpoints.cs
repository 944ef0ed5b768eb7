using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NanoAspire.Dashboard.Auth;
using NanoAspire.Dashboard.Pages;

namespace NanoAspire.Dashboard.Server;

/// <summary>Signing in with the token, by link or by form.</summary>
internal sealed class LoginEndpoints(DashboardContext context, BrowserSession session)
{
    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/login", http => SignInAsync(http, http.Request.Query["t"], http.Request.Query["returnUrl"]));
        app.MapPost("/login", async http =>
        {
            var form = await http.Request.ReadFormAsync(http.RequestAborted);
            await SignInAsync(http, form["t"], form["returnUrl"]);
        });
        app.MapPost("/logout", http =>
        {
            BrowserSession.SignOut(http);
            http.Response.Redirect("/login");
            return Task.CompletedTask;
        });
        app.MapPost("/api/validatetoken", http => http.Response.WriteAsJsonAsync(session.IsToken(http.Request.Query["token"]), ServerJson.Default.Boolean, cancellationToken: http.RequestAborted));
    }

    private async Task SignInAsync(HttpContext http, string? token, string? returnUrl)
    {
        var target = BrowserSession.LocalOrRoot(returnUrl);
        http.Response.Headers.CacheControl = "no-store";
        if (session.IsToken(token))
        {
            session.SignIn(http);
            http.Response.Redirect(target);
            return;
        }
        if (session.IsSignedIn(http)) { http.Response.Redirect(target); return; }
        http.Response.StatusCode = string.IsNullOrEmpty(token) ? StatusCodes.Status200OK : StatusCodes.Status401Unauthorized;
        http.Response.ContentType = "text/html; charset=utf-8";
        await http.Response.WriteAsync(LoginPage.Render(context, target, failed: !string.IsNullOrEmpty(token)), http.RequestAborted);
    }
}
