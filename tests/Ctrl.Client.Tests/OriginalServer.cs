using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Ctrl.Client.Tests;

/// <summary>Lists entities as the original service does, and has no watch route.</summary>
internal sealed class OriginalServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _lists;

    private OriginalServer(WebApplication app) => _app = app;

    /// <summary>JSON of the list's elements.</summary>
    public string Entities { get; set; } = "";

    /// <summary>Set: every call gets this instead.</summary>
    public (int Status, string Body)? Answer { get; set; }

    public int Lists => Volatile.Read(ref _lists);

    public string Url => _app.Urls.Single();

    public static string Entity(string id, int port) =>
        $$$"""{"endpoint":{"host":"127.0.0.1","port":{{{port}}},"protocol":"http"},"entity_id":"{{{id}}}","entity_type":"service","id":"{{{id}}}","kind":"dlengine","metadata":{"model_path":"/models/m1/","role":"hybrid","served_model_name":"m1"},"resource":null}""";

    public static async Task<OriginalServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new OriginalServer(app);
        app.MapPost("/list_entities", async http =>
        {
            Interlocked.Increment(ref server._lists);
            var (status, body) = server.Answer ?? (200, $$"""{"status":"ok","entities":[{{server.Entities}}]}""");
            http.Response.StatusCode = status;
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(body);
        });
        await app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
