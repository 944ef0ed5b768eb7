using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Server.Tests;

public sealed class TokenTests : IAsyncLifetime
{
    private RunningEngine _engine = null!;

    public async ValueTask InitializeAsync() => _engine = await RunningEngine.StartAsync();
    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task A_conversation_becomes_the_ids_that_the_model_would_see()
    {
        foreach (var dialogue in DemoDialogue.All)
        {
            var answer = await _engine.PostAsync("/tokenize", new { model = "nano-demo", messages = dialogue.Messages, tools = dialogue.Tools });
            Assert.Equal(dialogue.PromptIds, Ids(answer));
            Assert.Equal(dialogue.PromptIds.Length, answer["count"]!.GetValue<int>());
            Assert.Equal(_engine.Model.MaxModelLength, answer["max_model_len"]!.GetValue<int>());
        }
    }

    [Fact]
    public async Task A_text_goes_to_ids_and_back()
    {
        const string text = "Größe 🌍, 東京 and <|im_end|>";
        var answer = await _engine.PostAsync("/tokenize", new { prompt = text, return_token_strs = true });
        Assert.Equal(answer["count"]!.GetValue<int>(), answer["token_strs"]!.AsArray().Count);
        var back = await _engine.PostAsync("/detokenize", new { tokens = Ids(answer) });
        Assert.Equal(text, back["prompt"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("/tokenize", "{}", 400, "prompt")]
    [InlineData("/tokenize", "{\"prompt\":\"x\",\"model\":\"other\"}", 404, "model")]
    [InlineData("/tokenize", "{\"messages\":[]}", 400, "messages")]
    [InlineData("/detokenize", "{}", 400, "tokens")]
    [InlineData("/detokenize", "{\"tokens\":[-1]}", 400, "tokens")]
    public async Task What_cannot_be_done_is_refused_by_name(string path, string body, int status, string param)
    {
        var answer = await _engine.PostAsync(path, JsonNode.Parse(body)!, status);
        Assert.Equal(param, answer["error"]!["param"]!.GetValue<string>());
    }

    private static int[] Ids(JsonNode answer) => [.. answer["tokens"]!.AsArray().Select(id => id!.GetValue<int>())];
}
