using System.Net;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary><c>/tokenize</c> and <c>/detokenize</c> at the router.</summary>
public sealed class TokenTests
{
    [Theory]
    [InlineData("/tokenize", """{"model":"m1","prompt":"hi"}""")]
    [InlineData("/detokenize", """{"tokens":[1,2]}""")]
    public async Task Any_engine_of_the_model_is_asked_and_its_answer_passed_on(string path, string body)
    {
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
        decode.Answer = Replies.Json(200, """{"count":2,"tokens":[1,2]}""");
        await using var router = await TestRouter.StartAsync(decode);
        using var response = await router.ChatAsync(body, path);
        Assert.Equal("""{"count":2,"tokens":[1,2]}""", await response.Content.ReadAsStringAsync());
        Assert.Equal((path, body), (decode.Tokenized[0].Path, decode.Tokenized[0].Text));
    }

    [Fact]
    public async Task A_failing_engine_is_passed_over_and_a_refusal_is_not()
    {
        await using var first = await ScriptedEngine.StartAsync(id: "a");
        await using var second = await ScriptedEngine.StartAsync(id: "b");
        await using var router = await TestRouter.StartAsync(first, second);
        first.Answer = Replies.Error(500);
        second.Answer = Replies.Error(400, "invalid_request_error", message: "no");
        using var response = await router.ChatAsync("""{"prompt":"hi"}""", "/tokenize");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        second.Answer = Replies.Death;
        using var broken = await router.ChatAsync("""{"prompt":"hi"}""", "/tokenize");
        Assert.Equal(HttpStatusCode.BadGateway, broken.StatusCode);
        Assert.Equal("node_failed", await TestRouter.ErrorCodeAsync(broken));
    }

    [Theory]
    [InlineData("""{"model":"zz","prompt":"hi"}""", HttpStatusCode.NotFound)]
    [InlineData("{", HttpStatusCode.BadRequest)]
    public async Task What_nobody_can_answer_is_refused(string body, HttpStatusCode status)
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(engine);
        using var response = await router.ChatAsync(body, "/tokenize");
        Assert.Equal(status, response.StatusCode);
        Assert.Empty(engine.Tokenized);
    }

    [Fact]
    public async Task The_keys_guard_them_too()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { ApiKeys = ["k1"] }, engine);
        using var response = await router.ChatAsync("""{"prompt":"hi"}""", "/tokenize");
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }
}
