using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Server.Tests;

public sealed class ChatTests : IAsyncLifetime
{
    private RunningEngine _engine = null!;

    public async ValueTask InitializeAsync() => _engine = await RunningEngine.StartAsync();
    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task Every_dialogue_of_the_demo_model_is_answered_as_it_was_trained()
    {
        foreach (var dialogue in DemoDialogue.All)
        {
            var answer = await _engine.PostAsync("/v1/chat/completions", new { model = "nano-demo", messages = dialogue.Messages, tools = dialogue.Tools, temperature = 0, return_token_ids = true });
            Assert.Equal(dialogue.PromptIds, answer["prompt_token_ids"]!.AsArray().Select(id => id!.GetValue<int>()));
            Assert.Equal(dialogue.TokenIds, answer["choices"]![0]!["token_ids"]!.AsArray().Select(id => id!.GetValue<int>()));
            dialogue.AssertAnswered(answer["choices"]![0]!);
            Assert.Equal(dialogue.TokenIds.Length, answer["usage"]!["completion_tokens"]!.GetValue<int>());
            Assert.Equal(dialogue.PromptIds.Length, answer["usage"]!["prompt_tokens"]!.GetValue<int>());
        }
    }

    [Fact]
    public async Task A_stream_carries_the_same_text_as_the_whole_answer()
    {
        foreach (var dialogue in DemoDialogue.All)
        {
            var events = await _engine.StreamAsync("/v1/chat/completions", new
            {
                model = "nano-demo", messages = dialogue.Messages, tools = dialogue.Tools, temperature = 0, stream = true, stream_options = new { include_usage = true },
            });
            Assert.Equal("[DONE]", events[^1]);
            var chunks = events[..^1].ConvertAll(data => JsonNode.Parse(data)!);
            Assert.Equal("assistant", chunks[0]["choices"]![0]!["delta"]!["role"]!.GetValue<string>());
            if (!dialogue.IsCall) Assert.Equal(dialogue.Text, string.Concat(chunks[..^1].Select(chunk => chunk["choices"]![0]!["delta"]!["content"]?.GetValue<string>())));
            Assert.Single(chunks[..^1], chunk => chunk["choices"]![0]!["finish_reason"] is not null);
            Assert.All(chunks[..^1], chunk => Assert.True(chunk.AsObject().ContainsKey("usage") && chunk["usage"] is null));
            Assert.Empty(chunks[^1]["choices"]!.AsArray());
            Assert.Equal(dialogue.TokenIds.Length, chunks[^1]["usage"]!["completion_tokens"]!.GetValue<int>());
            Assert.Single(chunks.Select(chunk => chunk["id"]!.GetValue<string>()).Distinct());
        }
    }

    [Fact]
    public async Task Two_choices_are_drawn_independently_and_repeat_with_the_seed()
    {
        // A prompt that the model does not know by heart: its answers to the others are nearly certain at any temperature.
        var body = new { model = "nano-demo", prompt = "zebra quantum ledger", temperature = 2.0, seed = 7, n = 2, max_tokens = 40, return_token_ids = true, ignore_eos = true };
        var first = await _engine.PostAsync("/v1/completions", body);
        var again = await _engine.PostAsync("/v1/completions", body);
        Assert.Equal(first["choices"]!.ToJsonString(), again["choices"]!.ToJsonString());
        Assert.NotEqual(first["choices"]![0]!["token_ids"]!.ToJsonString(), first["choices"]![1]!["token_ids"]!.ToJsonString());
        Assert.Equal([0, 1], first["choices"]!.AsArray().Select(choice => choice!["index"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Stop_strings_end_the_text_before_them()
    {
        var dialogue = DemoDialogue.Prefill;
        var stop = dialogue.Text[20..28];
        var answer = await _engine.PostAsync("/v1/chat/completions", new { model = "nano-demo", messages = dialogue.Messages, temperature = 0, stop });
        Assert.Equal(dialogue.Text[..dialogue.Text.IndexOf(stop, StringComparison.Ordinal)], answer["choices"]![0]!["message"]!["content"]!.GetValue<string>());
        Assert.Equal("stop", answer["choices"]![0]!["finish_reason"]!.GetValue<string>());
        await _engine.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task Max_tokens_ends_with_length()
    {
        var dialogue = DemoDialogue.Prefill;
        var answer = await _engine.PostAsync("/v1/chat/completions", new { model = "nano-demo", messages = dialogue.Messages, temperature = 0, max_completion_tokens = 5, return_token_ids = true });
        Assert.Equal(dialogue.TokenIds[..5], answer["choices"]![0]!["token_ids"]!.AsArray().Select(id => id!.GetValue<int>()));
        Assert.Equal("length", answer["choices"]![0]!["finish_reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task Logprobs_name_the_tokens_they_belong_to()
    {
        var answer = await _engine.PostAsync("/v1/chat/completions", new { model = "nano-demo", messages = DemoDialogue.Prefill.Messages, temperature = 0, max_tokens = 4, logprobs = true, top_logprobs = 3 });
        var content = answer["choices"]![0]!["logprobs"]!["content"]!.AsArray();
        Assert.Equal(4, content.Count);
        Assert.Equal(answer["choices"]![0]!["message"]!["content"]!.GetValue<string>(), string.Concat(content.Select(entry => entry!["token"]!.GetValue<string>())));
        foreach (var entry in content)
        {
            var top = entry!["top_logprobs"]!.AsArray();
            Assert.Equal(3, top.Count);
            Assert.Equal(entry["token"]!.GetValue<string>(), top[0]!["token"]!.GetValue<string>());
            Assert.InRange(entry["logprob"]!.GetValue<double>(), -1e-2, 0);
        }
    }

    [Fact]
    public async Task A_client_that_leaves_frees_its_blocks()
    {
        using var leaving = new CancellationTokenSource();
        var body = System.Net.Http.Json.JsonContent.Create(new { model = "nano-demo", prompt = "Tell me", max_tokens = 3000, ignore_eos = true, stream = true });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = body };
        using (var response = await _engine.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving.Token))
        {
            await using var stream = await response.Content.ReadAsStreamAsync(leaving.Token);
            Assert.True(await stream.ReadAsync(new byte[64], leaving.Token) > 0);
            Assert.Equal(1, _engine.Model.Loop.Status.Running);
        }
        await _engine.WaitUntilIdleAsync();
    }
}
