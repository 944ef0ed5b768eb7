using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace NanoAspire.ServiceDefaults.Tests.Telemetry;

/// <summary>An OTLP/HTTP receiver in this process that keeps what it is sent.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, string? Key, ProtoMessage Body)> _requests = new();
    private readonly SemaphoreSlim _arrived = new(0);

    private OtlpCollector(WebApplication app) => _app = app;

    public string Url => _app.Urls.Single();

    public static async Task<OtlpCollector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var collector = new OtlpCollector(builder.Build());
        collector._app.MapPost("/v1/{signal}", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            collector._requests.Enqueue((context.Request.Path, context.Request.Headers["x-otlp-api-key"], new ProtoMessage(body.ToArray())));
            collector._arrived.Release();
            context.Response.ContentType = "application/x-protobuf";
        });
        await collector._app.StartAsync();
        return collector;
    }

    public IReadOnlyList<string?> Keys => [.. _requests.Select(request => request.Key)];

    public IReadOnlyList<ProtoMessage> Spans => [.. Bodies("/v1/traces").SelectMany(body => body.Messages(1)).SelectMany(r => r.Messages(2)).SelectMany(s => s.Messages(2))];

    public IReadOnlyList<ProtoMessage> Logs => [.. Bodies("/v1/logs").SelectMany(body => body.Messages(1)).SelectMany(r => r.Messages(2)).SelectMany(s => s.Messages(2))];

    public IReadOnlyList<ProtoMessage> Metrics => [.. Bodies("/v1/metrics").SelectMany(body => body.Messages(1)).SelectMany(r => r.Messages(2)).SelectMany(s => s.Messages(2))];

    public IReadOnlyList<Dictionary<string, string>> Resources => [.. _requests.SelectMany(r => r.Body.Messages(1)).Select(r => r.Message(1).Attributes(1))];

    /// <summary>Waits until <paramref name="found"/> returns something, looking again whenever a request arrives.</summary>
    public async Task<T> WaitForAsync<T>(Func<OtlpCollector, T?> found) where T : class
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (true)
        {
            if (found(this) is { } result) return result;
            await _arrived.WaitAsync(deadline.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _arrived.Dispose();
    }

    private IEnumerable<ProtoMessage> Bodies(string path) => _requests.Where(request => request.Path == path).Select(request => request.Body);
}
