using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>Every mistake gets a precise answer in OpenAI's form, and the server serves the next request.</summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private RunningEngine _engine = null!;

    public async ValueTask InitializeAsync() => _engine = await RunningEngine.StartAsync();

    public async ValueTask DisposeAsync()
    {
        var answer = await _engine.PostAsync("/v1/completions", new { model = "nano-demo", prompt = "hello", max_tokens = 1 });
        Assert.Equal(1, answer["usage"]!["completion_tokens"]!.GetValue<int>());
        await _engine.WaitUntilIdleAsync();
        await _engine.DisposeAsync();
    }

    [Theory]
    [InlineData("/v1/chat/completions", "{", 400, null, null)]
    [InlineData("/v1/chat/completions", "[]", 400, null, null)]
    [InlineData("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}]}""", 400, "model", null)]
    [InlineData("/v1/chat/completions", """{"model":5,"messages":[{"role":"user","content":"x"}]}""", 400, "model", null)]
    [InlineData("/v1/chat/completions", """{"model":"zz","messages":[{"role":"user","content":"x"}]}""", 404, "model", "model_not_found")]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo"}""", 400, "messages", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[]}""", 400, "messages", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":"hi"}""", 400, "messages", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"content":"x"}]}""", 400, "messages[0].role", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user"}]}""", 400, "messages[0].content", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}""", 400, "messages[0].content[0]", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"\ud800"}]}""", 400, null, null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","role":"user","content":"x"}]}""", 400, null, null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"assistant","tool_calls":5}]}""", 400, "messages[0].tool_calls", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":7}}]}]}""", 400, "messages[0].tool_calls[0]", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"max_tokens":99999999999999}""", 400, "max_tokens", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"reasoning_effort":"huge"}""", 400, "reasoning_effort", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"stream_options":{"include_usage":5}}""", 400, "stream_options.include_usage", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"guided_regex":"("}""", 400, "guided_regex", "invalid_schema")]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"guided_json":{"not":{}}}""", 400, "guided_json", "invalid_schema")]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"structured_outputs":{"regex":"["}}""", 400, "structured_outputs.regex", "invalid_schema")]
    [InlineData("/v1/completions", """{"model":"nano-demo","prompt":"x","resume_token_ids":5}""", 400, "resume_token_ids", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"max_tokens":0}""", 400, "max_tokens", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"max_completion_tokens":-3}""", 400, "max_completion_tokens", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"temperature":2.5}""", 400, "temperature", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"temperature":"hot"}""", 400, "temperature", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"top_p":0}""", 400, "top_p", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"top_p":1.5}""", 400, "top_p", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"top_logprobs":3}""", 400, "top_logprobs", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"n":0}""", 400, "n", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"stop":[""]}""", 400, "stop", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"logit_bias":{"a":1}}""", 400, "logit_bias", null)]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"max_tokens":100000}""", 400, "messages", "context_length_exceeded")]
    [InlineData("/v1/chat/completions", """{"model":"nano-demo","messages":[{"role":"user","content":"x"}],"kv_transfer_params":{"migration":"!!"}}""", 400, "kv_transfer_params.migration", null)]
    [InlineData("/v1/completions", """{"model":"nano-demo"}""", 400, "prompt", null)]
    [InlineData("/v1/completions", """{"model":"nano-demo","prompt":[]}""", 400, "prompt", null)]
    [InlineData("/v1/completions", """{"model":"nano-demo","prompt":""}""", 400, "prompt", null)]
    [InlineData("/v1/completions", """{"model":"nano-demo","prompt":[1,99999]}""", 400, "prompt", "invalid_token")]
    [InlineData("/v1/completions", """{"model":"nano-demo","prompt":[1,-1]}""", 400, "prompt", "invalid_token")]
    [InlineData("/v1/completions", """{"model":"nano-demo","prompt":[1,"x"]}""", 400, "prompt", null)]
    [InlineData("/v1/completions", """{"model":"nano-demo","prompt":"x","suffix":"y"}""", 400, "suffix", "unsupported_parameter")]
    [InlineData("/pd/free", """{}""", 400, "seq_ids", null)]
    [InlineData("/v1/nothing", """{}""", 404, null, "not_found")]
    public async Task Mistakes_are_named(string path, string body, int status, string? param, string? code)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _engine.Http.PostAsync(path, content);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("invalid_request_error", error["type"]!.GetValue<string>());
        Assert.Equal(param, error["param"]?.GetValue<string>());
        Assert.Equal(code, error["code"]?.GetValue<string>());
        Assert.NotEmpty(error["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_prompt_longer_than_the_context_is_refused()
    {
        var answer = await _engine.PostAsync("/v1/completions", new { model = "nano-demo", prompt = Enumerable.Repeat(65, 5000) }, expected: 400);
        Assert.Equal("context_length_exceeded", answer["error"]!["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_body_of_forty_megabytes_is_refused()
    {
        using var content = new StringContent("""{"model":"nano-demo","prompt":" """ + new string('x', 40 << 20) + "\"}", Encoding.UTF8, "application/json");
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = content };
        request.Headers.ExpectContinue = true;   // asks before it sends, so the answer is read whatever the server does with the body
        using var response = await _engine.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("request_too_large", JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Another_content_type_is_refused()
    {
        using var response = await _engine.Http.PostAsync("/v1/completions", new StringContent("{}", Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task A_model_without_tokenizer_serves_ids_and_says_so_for_text()
    {
        await using var bare = await RunningEngine.StartAsync(folder: Path.Combine(RepositoryPaths.Goldens, "qwen3-dense-tied"));
        var chat = await bare.PostAsync("/v1/chat/completions", new { model = "qwen3-dense-tied", messages = new[] { new { role = "user", content = "hi" } } }, expected: 400);
        Assert.Equal("no_tokenizer", chat["error"]!["code"]!.GetValue<string>());
        var text = await bare.PostAsync("/v1/completions", new { model = "qwen3-dense-tied", prompt = "hi" }, expected: 400);
        Assert.Equal("no_tokenizer", text["error"]!["code"]!.GetValue<string>());
        var ids = await bare.PostAsync("/v1/completions", new { model = "qwen3-dense-tied", prompt = new[] { 5, 6, 7 }, max_tokens = 3, temperature = 0, return_token_ids = true });
        Assert.Equal(3, ids["choices"]![0]!["token_ids"]!.AsArray().Count);
        Assert.Equal("", ids["choices"]![0]!["text"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_full_queue_is_answered_with_429()
    {
        await using var small = await RunningEngine.StartAsync(options: new EngineOptions { MaxSequences = 1, MaxWaiting = 1 });
        using var stop = new CancellationTokenSource();
        var body = new { model = "nano-demo", prompt = "go", max_tokens = 3500, ignore_eos = true };
        var held = Enumerable.Range(0, 8).Select(_ => System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(small.Http, "/v1/completions", body, stop.Token)).ToList();
        var refused = await await Task.WhenAny(held);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Equal("queue_full", JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["error"]!["code"]!.GetValue<string>());
        await stop.CancelAsync();
        await small.WaitUntilIdleAsync();
    }
}
