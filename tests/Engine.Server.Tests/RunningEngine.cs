using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Server.Commands;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Protocol.Wire;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>A real engine server in this process, on a free port, with the demo model unless told otherwise.</summary>
internal sealed class RunningEngine : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RunningEngine(WebApplication app)
    {
        _app = app;
        var address = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        Http = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(60) };
    }

    public HttpClient Http { get; }
    public ServedModel Model => _app.Services.GetRequiredService<ServedModel>();

    public static async Task<RunningEngine> StartAsync(
        EngineRole role = EngineRole.Hybrid, string? folder = null, EngineOptions? options = null, Func<ModelLoadOptions, ModelLoadOptions>? load = null, bool allowLocal = false,
        string transport = "tcp", string? ctrl = null)
    {
        options ??= new EngineOptions { MaxSequences = 16 };
        var loadOptions = new ModelLoadOptions { KvMemoryBytes = 64 << 20, MaxBatchedTokens = options.MaxBatchedTokens, MaxSequences = options.MaxSequences, Threads = 2 };
        var app = EngineServer.Build(new ServeOptions
        {
            Engine = new EngineSettings(folder ?? RepositoryPaths.DemoModel, load?.Invoke(loadOptions) ?? loadOptions, options, transport),
            Role = role,
            Port = 0,
            DefaultPort = 0,
            AllowLocal = allowLocal,
            CtrlAddress = ctrl,
        });
        await app.StartAsync();
        return new RunningEngine(app);
    }

    public async Task<JsonNode> PostAsync(string path, object body, int expected = 200)
    {
        using var response = await Http.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == expected, $"{path} answered {(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>The data of every event, <c>[DONE]</c> included.</summary>
    public async Task<List<string>> StreamAsync(string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        using var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var events = new List<string>();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync() is { } line)
            if (line.StartsWith("data: ", StringComparison.Ordinal)) events.Add(line["data: ".Length..]);
        return events;
    }

    /// <summary>Waits until the engine holds no block and no sequence.</summary>
    public async Task WaitUntilIdleAsync()
    {
        for (var i = 0; i < 200 && Model.Loop.Status is not { Running: 0, Waiting: 0, BlocksUsed: 0, BlocksParked: 0, ParkedSequences: 0 }; i++) await Task.Delay(50);
        var status = Model.Loop.Status;
        Assert.Equal((0, 0, 0, 0, 0), (status.Running, status.Waiting, status.BlocksUsed, status.BlocksParked, status.ParkedSequences));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
