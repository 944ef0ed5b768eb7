using System.Net;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Engines that fall ill and recover, as their health probes tell it.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task A_dead_engine_is_taken_out_and_comes_back_when_it_answers_again()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        engine.HealthStatus = 500;
        await Eventually.Async(() => router.NodeOf(engine).State is NodeState.Down);
        using var down = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, down.StatusCode);
        Assert.Equal("no_capacity", await TestRouter.ErrorCodeAsync(down));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await router.Client.GetAsync("/ready")).StatusCode);
        engine.HealthStatus = 200;
        await Eventually.Async(() => router.NodeOf(engine).State is NodeState.Ready);
        Assert.Equal(HttpStatusCode.OK, (await router.ChatAsync()).StatusCode);
    }

    [Fact]
    public async Task An_engine_given_by_address_is_asked_for_its_models_before_it_serves()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        engine.HealthStatus = 503;
        var options = TestRouter.Defaults with { Engines = [new EngineDescriptor { Id = engine.Url, Url = engine.Url, Role = EngineRole.Hybrid, Models = [] }] };
        await using var router = await TestRouter.StartAsync(options);
        Assert.False(router.NodeOf(engine).TakesWork);       // joining, or already known to be down
        Assert.Equal(HttpStatusCode.NotFound, (await router.ChatAsync()).StatusCode);
        engine.HealthStatus = 200;
        await Eventually.Async(() => router.Table.Current.Models.ContainsKey("m1"));
        Assert.Equal(HttpStatusCode.OK, (await router.ChatAsync()).StatusCode);
    }

    [Fact]
    public async Task A_killed_engine_is_known_to_be_dead_without_a_request()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        await engine.KillAsync();
        await Eventually.Async(() => !router.Table.Current.Nodes[0].TakesWork);
        Assert.Empty(((System.Text.Json.Nodes.JsonNode.Parse(await router.Client.GetStringAsync("/v1/models")))!["data"] as System.Text.Json.Nodes.JsonArray)!);
    }
}
