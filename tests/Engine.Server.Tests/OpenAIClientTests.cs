using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>The official client understands every answer.</summary>
public sealed class OpenAIClientTests : IAsyncLifetime
{
    private RunningEngine _engine = null!;
    private ChatClient _chat = null!;

    public async ValueTask InitializeAsync()
    {
        _engine = await RunningEngine.StartAsync();
        _chat = Client("nano-demo");
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task A_completion_has_text_usage_and_finish_reason()
    {
        ChatCompletion answer = await _chat.CompleteChatAsync([new UserChatMessage("What is prefill?")], new ChatCompletionOptions { Temperature = 0, IncludeLogProbabilities = true, TopLogProbabilityCount = 2 });
        Assert.Equal(DemoDialogue.Prefill.Text, answer.Content[0].Text);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal(DemoDialogue.Prefill.TokenIds.Length, answer.Usage.OutputTokenCount);
        Assert.Equal(2, answer.ContentTokenLogProbabilities[0].TopLogProbabilities.Count);
    }

    [Fact]
    public async Task A_stream_ends_with_usage()
    {
        var text = new System.Text.StringBuilder();
        ChatTokenUsage? usage = null;
        ChatFinishReason? finish = null;
        await foreach (var update in _chat.CompleteChatStreamingAsync([new UserChatMessage("What is prefill?")], new ChatCompletionOptions { Temperature = 0 }))
        {
            foreach (var part in update.ContentUpdate) text.Append(part.Text);
            usage ??= update.Usage;
            finish ??= update.FinishReason;
        }
        Assert.Equal(DemoDialogue.Prefill.Text, text.ToString());
        Assert.Equal(ChatFinishReason.Stop, finish);
        Assert.Equal(DemoDialogue.Prefill.TokenIds.Length, usage!.OutputTokenCount);
    }

    [Fact]
    public async Task An_unknown_model_is_an_error_the_client_reports()
    {
        var error = await Assert.ThrowsAsync<ClientResultException>(() => Client("nobody").CompleteChatAsync([new UserChatMessage("hi")]));
        Assert.Equal(404, error.Status);
        Assert.Contains("nobody", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_are_listed()
    {
        var models = await new OpenAIClient(new ApiKeyCredential("none"), Options()).GetOpenAIModelClient().GetModelsAsync();
        Assert.Contains(models.Value, model => model.Id == "nano-demo");
    }

    private ChatClient Client(string model) => new(model, new ApiKeyCredential("none"), Options());

    private OpenAIClientOptions Options() => new() { Endpoint = new Uri(_engine.Http.BaseAddress!, "/v1") };
}
