using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>An engine on a real socket that does what a test tells it to and remembers what it was sent.</summary>
internal sealed class ScriptedEngine : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<RecordedRequest> _requests = new();

    private ScriptedEngine(WebApplication app, EngineRole role, string id)
    {
        _app = app;
        Role = role;
        Id = id;
        Answer = role switch
        {
            EngineRole.Prefill => Replies.Parked(),
            EngineRole.Encoder => Replies.Encoded(Id),
            _ => Replies.HelloWorld,
        };
    }

    public string Id { get; }
    public EngineRole Role { get; }
    public string Url { get; private set; } = "";
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>Answers completions; the default is a hand-off (prefill) or "hello world".</summary>
    public Func<HttpContext, RecordedRequest, Task> Answer { get; set; }
    /// <summary>Runs before <c>/pd/free</c> or <c>/vision/free</c> is answered.</summary>
    public Func<HttpContext, Task> OnFree { get; set; } = static _ => Task.CompletedTask;
    public string ModelList { get; set; } = """{"object":"list","data":[{"id":"m1","object":"model"},{"id":"/models/m1","object":"model"}]}""";
    public int HealthStatus { get; set; } = 200;

    public IReadOnlyList<RecordedRequest> Completions => [.. _requests.Where(request => request.Path.StartsWith("/v1/", StringComparison.Ordinal) && request.Method == "POST")];
    public IReadOnlyList<RecordedRequest> Encoded => [.. _requests.Where(request => request.Path == "/vision/encode")];
    public IReadOnlyList<RecordedRequest> Tokenized => [.. _requests.Where(request => request.Path.EndsWith("tokenize", StringComparison.Ordinal))];
    public IReadOnlyList<RecordedRequest> Frees => [.. _requests.Where(request => request.Path is "/pd/free" or "/vision/free")];
    public IReadOnlyList<string> Freed => [.. Frees.Select(free => free.Text)];

    public static async Task<ScriptedEngine> StartAsync(EngineRole role = EngineRole.Hybrid, string? id = null, IReadOnlyList<string>? capabilities = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        var engine = new ScriptedEngine(app, role, id ?? $"{role}-{Guid.NewGuid():N}".ToLowerInvariant()) { Capabilities = capabilities ?? [] };
        app.MapGet("/health", () => Results.StatusCode(engine.HealthStatus));
        app.MapGet("/v1/models", () => Results.Text(engine.ModelList, "application/json"));
        foreach (var route in (string[])["/pd/free", "/vision/free"])
        {
            app.MapPost(route, async http =>
            {
                await engine.RecordAsync(http);
                await engine.OnFree(http);
                await http.Response.WriteAsync("""{"freed":[],"unknown":[]}""");
            });
        }
        foreach (var route in (string[])["/v1/{**rest}", "/vision/encode", "/tokenize", "/detokenize"]) app.MapPost(route, engine.AnswerAsync);
        await app.StartAsync();
        engine.Url = app.Urls.Single();
        return engine;
    }

    public EngineDescriptor Descriptor => new() { Id = Id, Url = Url, Role = Role, Models = ["m1", "/models/m1"], Capabilities = Capabilities };

    /// <summary>Waits until the condition on what was recorded holds.</summary>
    public Task SeenAsync(Func<ScriptedEngine, bool> condition) => Eventually.Async(() => condition(this));

    /// <summary>Closes the listener and every connection.</summary>
    public Task KillAsync() => _app.StopWithinAsync(TimeSpan.FromMilliseconds(50));

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var request = await RecordAsync(http);
        try { await Answer(http, request); }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested) { request.MarkAborted(); }
    }

    private async Task<RecordedRequest> RecordAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        var text = await reader.ReadToEndAsync(http.RequestAborted);
        var request = new RecordedRequest(
            http.Request.Method, http.Request.Path, http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase), text);
        _requests.Enqueue(request);
        http.RequestAborted.Register(request.MarkAborted);
        return request;
    }
}
