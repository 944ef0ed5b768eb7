using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.Ctrl.Client;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Engines that come, change and go through the control plane.</summary>
public sealed class DiscoveryTests : IAsyncLifetime
{
    private FakeCtrl _ctrl = null!;
    private TestRouter _router = null!;
    private ScriptedEngine _engine = null!;

    public async ValueTask InitializeAsync()
    {
        _ctrl = await FakeCtrl.StartAsync();
        _router = await TestRouter.StartAsync(
            TestRouter.Defaults with { CtrlAddress = _ctrl.Url },
            services => services.Configure<CtrlClientOptions>(options =>
            {
                options.PollInterval = TimeSpan.FromSeconds(0.1);
                options.MaxRetryDelay = TimeSpan.FromSeconds(0.3);
                options.ReturnGrace = TimeSpan.FromSeconds(0.1);
            }));
        _engine = await ScriptedEngine.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        await _engine.DisposeAsync();
        await _ctrl.DisposeAsync();
    }

    [Fact]
    public async Task An_engine_that_registers_gets_requests_and_one_that_leaves_gets_none()
    {
        _ctrl.Register(_engine, "hybrid");
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 1);
        Assert.Equal(HttpStatusCode.OK, (await _router.ChatAsync()).StatusCode);
        _ctrl.Unregister(_engine.Id);
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 0);
        Assert.Equal(HttpStatusCode.NotFound, (await _router.ChatAsync()).StatusCode);
        Assert.Single(_engine.Completions);
    }

    [Fact]
    public async Task A_stream_outlives_its_engines_registration()
    {
        var gate = new TaskCompletionSource();
        _engine.Answer = Replies.HelloThen(async http =>
        {
            await gate.Task;
            await Replies.SendAsync(http, Replies.Chunk("""{"content":" world"}""") + "data: [DONE]\n\n");
        });
        _ctrl.Register(_engine, "hybrid");
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 1);
        using var response = await _router.ChatAsync(TestRouter.UserHiStreamed);
        await using var stream = await SseReader.OpenAsync(response);
        _ctrl.Unregister(_engine.Id);
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 0);
        gate.SetResult();
        Assert.Equal("hello world", SseReader.Content(await stream.RestAsync()));
    }

    [Fact]
    public async Task A_control_plane_outage_empties_nothing()
    {
        _ctrl.Register(_engine, "hybrid");
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 1);
        _ctrl.Broken = true;
        await Eventually.Async(() => _ctrl.Refused >= 3);
        Assert.Equal(HttpStatusCode.OK, (await _router.ChatAsync()).StatusCode);
    }

    [Fact]
    public async Task A_changed_role_takes_effect_in_place()
    {
        _ctrl.Register(_engine, "decode");
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 1);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _router.ChatAsync()).StatusCode);
        _ctrl.Register(_engine, "HYBRID");
        await Eventually.Async(() => _router.Table.Current.Nodes is [{ Role: EngineRole.Hybrid }]);
        Assert.Equal(HttpStatusCode.OK, (await _router.ChatAsync()).StatusCode);
    }

    [Theory]
    [InlineData("Prefill", EngineRole.Prefill)]
    [InlineData("bogus", EngineRole.Hybrid)]
    public async Task Roles_are_read_leniently(string text, EngineRole role)
    {
        _ctrl.Register(_engine, text);
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 1);
        Assert.Equal(role, _router.Table.Current.Nodes[0].Role);
    }

    [Fact]
    public async Task An_encoder_never_gets_text()
    {
        await using var encoder = await ScriptedEngine.StartAsync();
        _ctrl.Register(encoder, "encoder");
        _ctrl.Register(_engine, "hybrid");
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 2);
        for (var i = 0; i < 4; i++) (await _router.ChatAsync()).Dispose();
        Assert.Empty(encoder.Completions);
        Assert.Equal(4, _engine.Completions.Count);
    }

    [Fact]
    public async Task A_model_path_gives_the_model_its_names()
    {
        _ctrl.Register(_engine, "hybrid", metadata: new JsonObject { ["model_path"] = "/models/m1/" });
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 1);
        Assert.Equal(["/models/m1", "m1"], _router.Table.Current.Models.Keys.Order(StringComparer.Ordinal));
        foreach (var name in (string[])["m1", "/models/m1", "/models/m1/"])
        {
            using var response = await _router.ChatAsync($$"""{"model":"{{name}}","messages":[{"role":"user","content":"hi"}]}""");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Fact]
    public async Task A_restart_under_a_new_id_on_the_same_address_is_one_engine()
    {
        _ctrl.Register(_engine, "hybrid", "old");
        await Eventually.Async(() => _router.Table.Current.Nodes is [{ Id: "old" }]);
        var before = _router.Table.Current.Nodes[0];
        _ctrl.Register(_engine, "hybrid", "new");
        await Eventually.Async(() => _router.Table.Current.Nodes is [{ Id: "new" }]);
        Assert.NotSame(before, _router.Table.Current.Nodes[0]);   // nothing that is known of the old run holds for the new one
    }

    [Fact]
    public async Task A_draining_engine_gets_nothing_new()
    {
        _ctrl.Register(_engine, "hybrid", metadata: new JsonObject { ["served_model_name"] = "m1", ["state"] = "draining" });
        await Eventually.Async(() => _router.Table.Current.Nodes.Length == 1);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _router.ChatAsync()).StatusCode);
        _ctrl.Register(_engine, "hybrid", metadata: new JsonObject { ["served_model_name"] = "m1", ["state"] = "ready" });
        await Eventually.Async(() => _router.Table.Current.Nodes.Any(node => node.TakesWork));
        Assert.Equal(HttpStatusCode.OK, (await _router.ChatAsync()).StatusCode);
    }
}
