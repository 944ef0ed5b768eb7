using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>What the router answers by itself: health, models, and everything it refuses.</summary>
public sealed class SurfaceTests
{
    [Fact]
    public async Task Health_needs_no_engine_and_readiness_does()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await router.Client.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await router.Client.GetAsync("/ready")).StatusCode);
        router.Engines.Set(engine.Descriptor);
        Assert.Equal(HttpStatusCode.OK, (await router.Client.GetAsync("/ready")).StatusCode);
    }

    [Fact]
    public async Task Models_are_listed_once_each_however_many_engines_serve_them()
    {
        await using var first = await ScriptedEngine.StartAsync();
        await using var second = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(first, second);
        var list = JsonNode.Parse(await router.Client.GetStringAsync("/v1/models"))!;
        Assert.Equal("list", (string?)list["object"]);
        Assert.Equal(["/models/m1", "m1"], ((JsonArray)list["data"]!).Select(model => (string?)model!["id"]));
        Assert.All((JsonArray)list["data"]!, model => Assert.Equal("model", (string?)model!["object"]));
        Assert.Equal("m1", (string?)JsonNode.Parse(await router.Client.GetStringAsync("/v1/models/m1"))!["id"]);
        Assert.Equal("/models/m1", (string?)JsonNode.Parse(await router.Client.GetStringAsync("/v1/models//models/m1"))!["id"]);
        using var missing = await router.Client.GetAsync("/v1/models/zz");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Equal("model_not_found", await TestRouter.ErrorCodeAsync(missing));
    }

    [Fact]
    public async Task An_unknown_model_is_refused_without_asking_anybody()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.ChatAsync("""{"model":"zz","messages":[{"role":"user","content":"hi"}]}""");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        var error = (await TestRouter.JsonAsync(response))["error"]!;
        Assert.Equal(("invalid_request_error", "model_not_found"), ((string?)error["type"], (string?)error["code"]));
        Assert.Empty(engine.Completions);
    }

    [Theory]
    [InlineData("{", null)]
    [InlineData("", null)]
    [InlineData("[]", null)]
    [InlineData("null", null)]
    [InlineData("{} {}", null)]
    [InlineData("{\"model\":\"\\ud800\",\"messages\":[]}", null)]
    [InlineData("""{"messages":[{"role":"user","content":"hi"}]}""", "model")]
    [InlineData("""{"model":7,"messages":[{"role":"user","content":"hi"}]}""", "model")]
    [InlineData("""{"model":"m1"}""", "messages")]
    [InlineData("""{"model":"m1","messages":null}""", "messages")]
    [InlineData("""{"model":"m1","messages":"hi"}""", "messages")]
    [InlineData("""{"model":"m1","messages":[]}""", "messages")]
    [InlineData("""{"model":"m1","messages":["hi"]}""", "messages[0]")]
    [InlineData("""{"model":"m1","messages":[{"content":"hi"}]}""", "messages[0].role")]
    [InlineData("""{"model":"m1","messages":[{"role":"user","content":[{"type":"foo"}]}]}""", "messages[0].content[0].type")]
    [InlineData("""{"model":"m1","messages":[{"role":"user","content":"hi"}],"stream":"yes"}""", "stream")]
    [InlineData("""{"model":"m1","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":1}""", "stream_options")]
    public async Task A_malformed_request_is_refused_with_the_member_to_blame(string body, string? param)
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.ChatAsync(body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = (await TestRouter.JsonAsync(response))["error"]!;
        Assert.Equal("invalid_request_error", (string?)error["type"]);
        Assert.Equal(param, (string?)error["param"]);
        Assert.NotEmpty((string)error["message"]!);
        Assert.Empty(engine.Completions);
        using var next = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact]
    public async Task JSON_nested_too_deep_is_refused()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.ChatAsync($$"""{"model":"m1","messages":[{"role":"user","content":"hi"}],"x":{{new string('[', 100_000)}}{{new string(']', 100_000)}}}""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(engine.Completions);
    }

    [Fact]
    public async Task A_text_body_is_refused()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.Client.PostAsync("/v1/chat/completions", new StringContent(TestRouter.UserHi, Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Equal("invalid_request_error", (string?)(await TestRouter.JsonAsync(response))["error"]!["type"]);
    }

    [Fact]
    public async Task An_image_of_three_megabytes_is_accepted()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        var image = new string('A', 3 << 20);
        using var response = await router.ChatAsync($$$"""{"model":"m1","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,{{{image}}}"}}]}]}""");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(Assert.Single(engine.Completions).Text.Length > 3 << 20);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_limit_is_refused_and_the_server_goes_on(bool lengthKnown)
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        using var body = new MemoryStream(new byte[40 << 20]);
        using HttpContent content = lengthKnown ? new StreamContent(body) : new UnknownLength(body);
        content.Headers.ContentType = new("application/json");
        using var response = await router.Client.PostAsync("/v1/chat/completions", content);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("request_too_large", await TestRouter.ErrorCodeAsync(response));
        using var next = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact]
    public async Task Keys_guard_v1_and_stay_with_the_router()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { ApiKeys = ["k1", "k2"] }, engine);
        using var none = await router.ChatAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, none.StatusCode);
        Assert.Equal("Bearer", none.Headers.WwwAuthenticate.ToString());
        var error = (await TestRouter.JsonAsync(none))["error"]!;
        Assert.Equal(("authentication_error", "invalid_api_key"), ((string?)error["type"], (string?)error["code"]));
        using var wrong = await router.ChatAsync(headers: [("Authorization", "Bearer x")]);
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Empty(engine.Completions);
        using var right = await router.ChatAsync(headers: [("Authorization", "Bearer k2")]);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        Assert.False(Assert.Single(engine.Completions).Headers.ContainsKey("Authorization"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await router.Client.GetAsync("/v1/models")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await router.Client.GetAsync("/nodes/status")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await router.Client.GetAsync("/health")).StatusCode);
    }

    [Fact]
    public async Task The_admin_key_opens_nodes_and_nothing_else_does()
    {
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { ApiKeys = ["user"], AdminKeys = ["admin"] });
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("user"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("admin"));

        async Task<HttpStatusCode> StatusAsync(string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/nodes/status") { Headers = { { "Authorization", "Bearer " + key } } };
            using var response = await router.Client.SendAsync(request);
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData("my-id.7", true)]
    [InlineData("has space", false)]
    [InlineData("", false)]
    public async Task The_request_id_goes_to_the_engine_and_back(string given, bool kept)
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.ChatAsync(headers: [("x-request-id", given)]);
        var id = response.Headers.GetValues("x-request-id").Single();
        Assert.Equal(kept, id == given);
        Assert.NotEmpty(id);
        Assert.Equal(id, Assert.Single(engine.Completions).Headers["x-request-id"]);
        using var refused = await router.Client.GetAsync("/v1/nothing");
        Assert.NotEmpty(refused.Headers.GetValues("x-request-id").Single());
    }

    [Fact]
    public async Task Embeddings_and_unknown_routes_are_404_in_OpenAIs_form()
    {
        await using var router = await TestRouter.StartAsync();
        using var embeddings = await router.ChatAsync("""{"model":"m1","input":"x"}""", "/v1/embeddings");
        Assert.Equal(HttpStatusCode.NotFound, embeddings.StatusCode);
        Assert.Equal("model_not_found", await TestRouter.ErrorCodeAsync(embeddings));
        foreach (var path in (string[])["/v2/nothing", "/v1/file.txt", "/v1/chat/completions"])
        {
            using var nothing = await router.Client.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
            Assert.Equal("not_found", await TestRouter.ErrorCodeAsync(nothing));
        }
    }

    [Fact]
    public async Task Metrics_tell_of_requests_by_model_and_outcome()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        (await router.ChatAsync()).Dispose();
        await Eventually.Async(() => router.Log.Lines.Any(line => line.Contains("outcome=")));
        var metrics = await router.Client.GetStringAsync("/metrics");
        Assert.Contains("router_requests_total{", metrics);
        Assert.Contains("outcome=\"completed\"", metrics);
        Assert.Contains("router_request_duration_seconds_bucket{", metrics);
        Assert.Contains("router_tokens_total{", metrics);
    }

    [Fact]
    public async Task Metrics_tell_what_each_engine_does_and_how_fast_streams_flow()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        engine.Answer = Replies.HelloThen(async http =>
        {
            await Task.Delay(20, http.RequestAborted);
            await Replies.SendAsync(http, Replies.Chunk("""{"content":" world"}""") + "data: [DONE]\n\n");
        });
        await (await router.ChatAsync(TestRouter.UserHiStreamed)).Content.ReadAsStringAsync();
        await Eventually.Async(() => router.Log.Lines.Any(line => line.Contains("outcome=")));
        var metrics = (await router.Client.GetStringAsync("/metrics")).Split('\n');
        Assert.Contains(metrics, line => line.StartsWith("router_itl_seconds_bucket{", StringComparison.Ordinal) && line.Contains("le=\"0.0005\""));
        foreach (var name in (string[])["router_inflight", "router_node_state", "router_breaker_open", "router_prompt_pending", "router_node_requests"])
            Assert.Contains(metrics, line => line.StartsWith(name, StringComparison.Ordinal) && line.Contains($"engine=\"{engine.Id}\"") && line.Contains("role=\"hybrid\""));
    }

    [Fact]
    public async Task Engines_continue_the_clients_trace_in_a_span_of_the_stage()
    {
        using var listener = new System.Diagnostics.ActivityListener
        {
            ShouldListenTo = source => source.Name == "NanoAspire.Router",
            Sample = static (ref System.Diagnostics.ActivityCreationOptions<System.Diagnostics.ActivityContext> _) => System.Diagnostics.ActivitySamplingResult.AllDataAndRecorded,
        };
        System.Diagnostics.ActivitySource.AddActivityListener(listener);
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        using var response = await router.ChatAsync(headers: [("traceparent", $"00-{Trace}-00f067aa0ba902b7-01")]);
        var received = Assert.Single(engine.Completions).Headers["traceparent"].Split('-');
        Assert.Equal(Trace, received[1]);
        Assert.NotEqual("00f067aa0ba902b7", received[2]);
    }

    private sealed class UnknownLength(Stream body) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => body.CopyToAsync(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
