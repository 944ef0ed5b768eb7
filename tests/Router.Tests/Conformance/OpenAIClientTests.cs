using System.ClientModel;
using System.ClientModel.Primitives;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Tests.Fixtures;
using OpenAI;
using OpenAI.Chat;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>The official client against the router, hybrid and disaggregated.</summary>
public sealed class OpenAIClientTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Chat_completions_work_whole_and_streamed(bool disaggregated)
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(disaggregated ? EngineRole.Decode : EngineRole.Hybrid);
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { ApiKeys = ["k1"] }, disaggregated ? [prefill, decode] : [decode]);
        var chat = Client(router, "k1").GetChatClient("m1");

        var whole = (await chat.CompleteChatAsync([new UserChatMessage("hi")], new ChatCompletionOptions { MaxOutputTokenCount = 9 })).Value;
        Assert.Equal("hello world", whole.Content[0].Text);
        Assert.Equal((ChatFinishReason.Stop, 5), (whole.FinishReason, whole.Usage.TotalTokenCount));

        var text = "";
        ChatFinishReason? finish = null;
        var tokens = 0;
        await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage("hi")]))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            finish ??= update.FinishReason;
            tokens = update.Usage?.TotalTokenCount ?? tokens;   // the client asks for usage by itself
        }
        Assert.Equal(("hello world", ChatFinishReason.Stop, 5), (text, finish!.Value, tokens));
    }

    [Fact]
    public async Task A_first_token_answer_reads_like_any_stream()
    {
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
        prefill.Answer = Replies.Json(200, """{"id":"p","object":"chat.completion","created":1,"model":"m1","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}""");
        await using var router = await TestRouter.StartAsync(prefill, decode);
        List<StreamingChatCompletionUpdate> updates = [];
        await foreach (var update in Client(router, "any").GetChatClient("m1").CompleteChatStreamingAsync([new UserChatMessage("hi")])) updates.Add(update);
        Assert.Equal("Hi", string.Concat(updates.SelectMany(update => update.ContentUpdate).Select(part => part.Text)));
        Assert.Equal(ChatFinishReason.Length, updates.Select(update => update.FinishReason).Single(reason => reason is not null));
        Assert.Equal(4, updates[^1].Usage.TotalTokenCount);
    }

    [Fact]
    public async Task Errors_and_models_are_what_the_client_expects()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { ApiKeys = ["k1"] }, engine);
        var models = (await Client(router, "k1").GetOpenAIModelClient().GetModelsAsync()).Value;
        Assert.Equal(["/models/m1", "m1"], models.Select(model => model.Id));
        var unknown = await Assert.ThrowsAsync<ClientResultException>(() => Client(router, "k1").GetChatClient("zz").CompleteChatAsync([new UserChatMessage("hi")]));
        Assert.Equal(404, unknown.Status);
        Assert.Contains("model_not_found", unknown.Message);
        var stranger = await Assert.ThrowsAsync<ClientResultException>(() => Client(router, "x").GetChatClient("m1").CompleteChatAsync([new UserChatMessage("hi")]));
        Assert.Equal(401, stranger.Status);
    }

    private static OpenAIClient Client(TestRouter router, string key) =>
        new(new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = new Uri(router.Client.BaseAddress!, "v1"), RetryPolicy = new ClientRetryPolicy(maxRetries: 0) });
}
