using System.Net;
using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>llama.cpp's server as a hybrid engine, played by a script of what it says: its own order of members, timings, and errors.</summary>
public sealed class LlamaServerTests : IAsyncLifetime
{
    private const string Model = "qwen2.5-0.5b-instruct-q8_0.gguf";
    private const string Chat = $$"""{"model":"{{Model}}","messages":[{"role":"user","content":"hi"}],"cache_prompt":true,"stream":false}""";
    private const string Timings = """{"prompt_n":11,"prompt_ms":40.1,"prompt_per_token_ms":3.6,"prompt_per_second":274.3,"predicted_n":2,"predicted_ms":21.9,"predicted_per_token_ms":10.9,"predicted_per_second":91.3}""";

    private ScriptedEngine _llama = null!;
    private TestRouter _router = null!;

    public async ValueTask InitializeAsync()
    {
        _llama = await ScriptedEngine.StartAsync();
        _llama.ModelList = $$$"""{"models":[{"name":"{{{Model}}}","model":"{{{Model}}}","capabilities":["completion"],"details":{"format":"gguf"}}],"object":"list","data":[{"id":"{{{Model}}}","object":"model","created":1760000000,"owned_by":"llamacpp","meta":{"vocab_type":2,"n_vocab":151936,"n_ctx_train":32768}}]}""";
        _llama.HealthStatus = 503;   // still loading
        _router = await TestRouter.StartAsync(TestRouter.Defaults with { Engines = [new EngineDescriptor { Id = _llama.Url, Url = _llama.Url, Role = EngineRole.Hybrid, Models = [] }] });
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        await _llama.DisposeAsync();
    }

    [Fact]
    public async Task It_joins_when_its_model_is_loaded_and_serves_whole_answers()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await _router.ChatAsync(Chat)).StatusCode);
        await JoinAsync();
        var answer = $$$"""{"choices":[{"finish_reason":"stop","index":0,"message":{"role":"assistant","content":"Hello!"}}],"created":1760000001,"model":"{{{Model}}}","system_fingerprint":"b6700-1","object":"chat.completion","usage":{"completion_tokens":2,"prompt_tokens":11,"total_tokens":13},"id":"chatcmpl-Vx","timings":{{{Timings}}}}""";
        _llama.Answer = Replies.Json(200, answer);
        using var response = await _router.ChatAsync(Chat);
        Assert.Equal(answer, await response.Content.ReadAsStringAsync());
        Assert.Equal(Chat, _llama.Completions[^1].Text);   // its own parameters reach it
    }

    [Fact]
    public async Task Its_streams_pass_untouched()
    {
        await JoinAsync();
        string[] events =
        [
            Event("""[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}]"""),
            Event("""[{"finish_reason":null,"index":0,"delta":{"content":"Hello"}}]"""),
            Event("""[{"finish_reason":null,"index":0,"delta":{"content":"!"}}]"""),
            Event("""[{"finish_reason":"stop","index":0,"delta":{}}]""", $",\"timings\":{Timings}"),
            Event("[]", $$""","usage":{"completion_tokens":2,"prompt_tokens":11,"total_tokens":13},"timings":{{Timings}}"""),
            "data: [DONE]\n\n",
        ];
        _llama.Answer = async (http, _) =>
        {
            Replies.BeginStream(http);
            foreach (var text in events) await Replies.SendAsync(http, text);
        };
        using var response = await _router.ChatAsync(Chat.Replace("\"stream\":false", "\"stream\":true", StringComparison.Ordinal));
        Assert.Equal(string.Concat(events), await response.Content.ReadAsStringAsync());
        await Eventually.Async(() => _router.Log.Lines.Any(line => line.Contains("prompt=11", StringComparison.Ordinal) && line.Contains("finish=stop", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Its_refusals_are_the_clients_and_its_loading_is_not()
    {
        await JoinAsync();
        const string refusal = """{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_prompt_tokens":40000,"n_ctx":4096}}""";
        _llama.Answer = Replies.Json(400, refusal);
        using (var response = await _router.ChatAsync(Chat))
        {
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal(refusal, await response.Content.ReadAsStringAsync());
        }
        _llama.Answer = Replies.Json(503, """{"error":{"message":"Loading model","type":"unavailable_error","code":503}}""");
        using (var response = await _router.ChatAsync(Chat))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal("no_capacity", await TestRouter.ErrorCodeAsync(response));
        }
    }

    private async Task JoinAsync()
    {
        _llama.HealthStatus = 200;
        await Eventually.Async(() => _router.Table.Current.Pool(Model) is { Hybrid: [{ TakesWork: true }] });
    }

    private static string Event(string choices, string more = "") =>
        $$"""data: {"choices":{{choices}},"created":1760000001,"id":"chatcmpl-Vx","model":"{{Model}}","system_fingerprint":"b6700-1","object":"chat.completion.chunk"{{more}}}""" + "\n\n";
}
