using System.Text.Json.Nodes;
using NanoAspire.Tests;

namespace NanoAspire.EndToEnd.Processes;

/// <summary>Ctrl (embedded store), a router and engines as processes, wired by command line as an operator would.</summary>
internal sealed class ServiceCluster : IAsyncDisposable
{
    private readonly List<ServiceProcess> _all = [];

    private ServiceCluster(ServiceProcess ctrl, ServiceProcess router)
    {
        Ctrl = ctrl;
        Router = router;
        _all.AddRange([router, ctrl]);
    }

    public ServiceProcess Ctrl { get; }
    public ServiceProcess Router { get; }

    public static async Task<ServiceCluster> StartAsync(IReadOnlyDictionary<string, string>? environment = null)
    {
        var ctrl = await ServiceProcess.StartAsync("Ctrl", ["server"], environment: environment);
        var router = await ServiceProcess.StartAsync("Router", ["--ctrl-address", $"127.0.0.1:{ctrl.Port}"], environment: environment);
        return new(ctrl, router);
    }

    public async Task<ServiceProcess> AddEngineAsync(string project, int? port = null, IReadOnlyDictionary<string, string>? environment = null, params string[] more)
    {
        var engine = await ServiceProcess.StartAsync(
            project, ["serve", RepositoryPaths.DemoModel, "--ctrl-address", $"127.0.0.1:{Ctrl.Port}", "--threads", "1", "--kv-memory", "64MiB", .. more], port, environment);
        _all.Add(engine);
        return engine;
    }

    /// <summary>Waits until the router answers chat requests, at most half a minute.</summary>
    public async Task WaitUntilServedAsync()
    {
        for (var i = 0; ; i++)
        {
            using var response = await Router.Http.GetAsync("/ready");
            if (response.IsSuccessStatusCode) return;
            Assert.True(i < 300, $"the router is not ready:\n{Router.Log}");
            await Task.Delay(100);
        }
    }

    public static JsonObject Chat(string text, bool stream = false, int maxTokens = 300) => new()
    {
        ["model"] = "nano-demo",
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
        ["temperature"] = 0,
        ["max_tokens"] = maxTokens,
        ["stream"] = stream,
    };

    public async ValueTask DisposeAsync()
    {
        foreach (var service in Enumerable.Reverse(_all)) await service.DisposeAsync();
    }
}
