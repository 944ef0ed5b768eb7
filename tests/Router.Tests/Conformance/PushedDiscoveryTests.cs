using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Ctrl;
using NanoAspire.Ctrl.Client;
using NanoAspire.Ctrl.Store;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Case 17 against the real control plane, with a router that would poll once an hour: what it learns it was told.</summary>
public sealed class PushedDiscoveryTests : IAsyncLifetime
{
    private WebApplication _ctrl = null!;
    private ICtrlStore _store = null!;
    private HttpClient _api = null!;
    private TestRouter _router = null!;
    private ScriptedEngine _engine = null!;

    public async ValueTask InitializeAsync()
    {
        var options = new CtrlOptions();
        _store = await CtrlApp.OpenStoreAsync(options, TimeProvider.System, NullLogger.Instance, default);
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddCtrl(options, _store, TimeProvider.System);
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _ctrl = builder.Build();
        _ctrl.MapCtrl();
        await _ctrl.StartAsync();
        _api = new HttpClient { BaseAddress = new Uri(_ctrl.Urls.Single()) };
        _engine = await ScriptedEngine.StartAsync();
        _router = await TestRouter.StartAsync(
            TestRouter.Defaults with { CtrlAddress = _ctrl.Urls.Single() },
            services => services.Configure<CtrlClientOptions>(client => client.PollInterval = client.PushedPollInterval = TimeSpan.FromHours(1)));
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        await _engine.DisposeAsync();
        _api.Dispose();
        await _ctrl.StopWithinAsync(TimeSpan.FromSeconds(2));
        await _ctrl.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task Engines_that_come_change_and_go_are_pushed_to_the_router()
    {
        // The first registration may be part of the router's first list; the second cannot be.
        await RegisterAsync("first", "hybrid", new Uri("http://127.0.0.1:9"));
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 1);
        await RegisterAsync("second", "hybrid", new Uri(_engine.Url));
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 2);
        await PostAsync("/unregister", new JsonObject { ["entity_type"] = "service", ["entity_id"] = "first" });
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 1);
        using (var response = await _router.ChatAsync()) Assert.Equal(200, (int)response.StatusCode);
        await RegisterAsync("second", "decode", new Uri(_engine.Url));
        await Eventually.Async(() => _router.Table.Current.Nodes is [{ Role: Protocol.Wire.EngineRole.Decode }]);
    }

    private Task RegisterAsync(string id, string role, Uri url) => PostAsync("/register", new JsonObject
    {
        ["entity_type"] = "service",
        ["entity_id"] = id,
        ["kind"] = "dlengine",
        ["endpoint"] = new JsonObject { ["host"] = url.Host, ["port"] = url.Port, ["protocol"] = "http" },
        ["metadata"] = new JsonObject { ["served_model_name"] = "m1", ["role"] = role },
    });

    private async Task PostAsync(string path, JsonObject body)
    {
        using var response = await _api.PostAsJsonAsync(path, body);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }
}
