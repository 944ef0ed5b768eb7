using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary><c>/nodes</c>: the table by hand.</summary>
public sealed class NodeRoutesTests
{
    [Fact]
    public async Task A_node_added_by_hand_serves_until_it_is_removed()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync();
        Assert.Equal((200, "Added successfully."), await PostAsync(router, "add", $$$"""{"url":"{{{engine.Url}}}/","status":{"role":1,"models":["mine"]}}"""));
        using var response = await router.ChatAsync("""{"model":"mine","messages":[{"role":"user","content":"hi"}]}""");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var status = JsonNode.Parse(await router.Client.GetStringAsync("/nodes/status"))![engine.Url]!;
        Assert.Equal(("hybrid", "ready", "closed", 0), ((string?)status["role"], (string?)status["state"], (string?)status["breaker"], (int)status["unfinished"]!));
        Assert.Equal((409, null), await PostAsync(router, "add", $$"""{"url":"{{engine.Url}}"}"""));
        Assert.Equal((200, "Removed successfully."), await PostAsync(router, "remove", $$"""{"url":"{{engine.Url}}"}"""));
        Assert.Equal((404, null), await PostAsync(router, "remove", $$"""{"url":"{{engine.Url}}"}"""));
        Assert.Empty(router.Table.Current.Nodes);
    }

    [Fact]
    public async Task A_node_added_without_models_is_asked_for_them()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync();
        Assert.Equal(200, (await PostAsync(router, "add", $$"""{"url":"{{engine.Url}}"}""")).Status);
        await Eventually.Async(() => router.Table.Current.Models.ContainsKey("m1"));
        Assert.Equal(HttpStatusCode.OK, (await router.ChatAsync()).StatusCode);
    }

    [Theory]
    [InlineData("""{"url":"ftp://x"}""", 400)]
    [InlineData("""{"url":7}""", 400)]
    [InlineData("{", 400)]
    [InlineData("""{"url":"http://127.0.0.1:1","role":"cook"}""", 400)]
    [InlineData("""{"url":"http://127.0.0.1:1"}""", 502)]
    public async Task What_cannot_be_added_is_said_with_a_status(string body, int status)
    {
        await using var router = await TestRouter.StartAsync();
        Assert.Equal(status, (await PostAsync(router, "add", body)).Status);
    }

    [Fact]
    public async Task Registered_nodes_are_not_removed_by_hand_but_can_be_drained()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        Assert.Equal(409, (await PostAsync(router, "remove", $$"""{"url":"{{engine.Url}}"}""")).Status);
        Assert.Equal(HttpStatusCode.OK, await PatchAsync(engine.Id, """{"draining":true}"""));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await router.ChatAsync()).StatusCode);
        Assert.Equal(HttpStatusCode.OK, await PatchAsync(engine.Id, """{"draining":false}"""));
        Assert.Equal(HttpStatusCode.OK, (await router.ChatAsync()).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, await PatchAsync("nobody", """{"draining":false}"""));
        Assert.Equal(HttpStatusCode.BadRequest, await PatchAsync(engine.Id, "{}"));

        async Task<HttpStatusCode> PatchAsync(string id, string body)
        {
            using var response = await router.Client.PatchAsync($"/nodes/{id}", new StringContent(body, Encoding.UTF8, "application/json"));
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task Terminating_asks_the_engine_and_reports_its_refusal()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        Assert.Equal(502, (await PostAsync(router, "terminate", $$"""{"url":"{{engine.Url}}"}""")).Status);   // it has no such route
        Assert.Equal(404, (await PostAsync(router, "terminate", """{"url":"http://nobody"}""")).Status);
        Assert.Equal(502, (await PostAsync(router, "terminate_all", "")).Status);
    }

    private static async Task<(int Status, string? Message)> PostAsync(TestRouter router, string route, string body)
    {
        using var response = await router.Client.PostAsync($"/nodes/{route}", new StringContent(body, Encoding.UTF8, "application/json"));
        return ((int)response.StatusCode, (string?)(await TestRouter.JsonAsync(response))["message"]);
    }
}
