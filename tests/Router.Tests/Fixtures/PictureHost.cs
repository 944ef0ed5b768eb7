using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>A web server with one picture, a page, and a redirect to what should not be seen.</summary>
internal sealed class PictureHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<string> _asked = new();

    private PictureHost(WebApplication app) => _app = app;

    public string Url { get; private set; } = "";
    public IEnumerable<string> Asked => _asked;

    public static async Task<PictureHost> StartAsync(byte[] picture)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var host = new PictureHost(app);
        app.Use((http, next) =>
        {
            host._asked.Enqueue(http.Request.Path);
            return next(http);
        });
        app.MapGet("/red.png", () => Results.Bytes(picture, "image/png"));
        app.MapGet("/page.html", () => Results.Text("<html>", "text/html"));
        app.MapGet("/elsewhere", () => Results.Redirect("/secret"));
        app.MapGet("/secret", () => Results.Bytes(picture, "image/png"));
        await app.StartAsync();
        host.Url = app.Urls.Single();
        return host;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
