using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Tests.Support;

/// <summary>The real service in this process, on a free port.</summary>
internal sealed class CtrlServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private CtrlServer(WebApplication app, ICtrlStore store, RecordedLogs logs)
    {
        (_app, Store, Logs) = (app, store, logs);
        Url = app.Urls.Single();
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(Url) };
    }

    public string Url { get; }
    public HttpClient Http { get; }
    public ICtrlStore Store { get; }
    public RecordedLogs Logs { get; }

    public static async Task<CtrlServer> StartAsync(CtrlOptions? options = null, TimeProvider? time = null, int port = 0)
    {
        options ??= new CtrlOptions();
        time ??= TimeProvider.System;
        var store = await CtrlApp.OpenStoreAsync(options, time, NullLogger.Instance, default);
        var logs = new RecordedLogs();
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddCtrl(options, store, time);
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Debug);
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        app.MapCtrl();
        await app.StartAsync();
        return new CtrlServer(app, store, logs);
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, string json, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        using var response = await Http.SendAsync(request);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsByteArrayAsync()));
    }

    /// <summary>The body of a call that must answer 200.</summary>
    public async Task<JsonElement> OkAsync(string path, string json)
    {
        var (status, body) = await PostAsync(path, json);
        Assert.True(status == HttpStatusCode.OK, $"{path} {json} -> {status} {body}");
        return body;
    }

    public async Task<HttpStatusCode> RawAsync(string path, byte[] body, string? contentType)
    {
        using var content = new ByteArrayContent(body);
        if (contentType is not null) content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var response = await Http.PostAsync(path, content);
        return response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        await Store.DisposeAsync();
    }
}
