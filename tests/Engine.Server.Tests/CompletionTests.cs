using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Server.Tests;

public sealed class CompletionTests : IAsyncLifetime
{
    private static readonly DemoDialogue Dialogue = DemoDialogue.Prefill;
    private RunningEngine _engine = null!;

    public async ValueTask InitializeAsync() => _engine = await RunningEngine.StartAsync();
    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task Ids_and_text_are_the_same_prompt_in_every_form()
    {
        var text = "<|im_start|>user\nWhat is prefill?<|im_end|>\n<|im_start|>assistant\n";
        foreach (object prompt in new object[] { text, new[] { text }, Dialogue.PromptIds, new[] { Dialogue.PromptIds } })
        {
            var answer = await _engine.PostAsync("/v1/completions", new { model = "nano-demo", prompt, temperature = 0, max_tokens = 64, return_token_ids = true });
            Assert.Equal(Dialogue.Text, answer["choices"]![0]!["text"]!.GetValue<string>());
            Assert.Equal(Dialogue.PromptIds, answer["choices"]![0]!["prompt_token_ids"]!.AsArray().Select(id => id!.GetValue<int>()));
            Assert.Equal(Dialogue.TokenIds, answer["choices"]![0]!["token_ids"]!.AsArray().Select(id => id!.GetValue<int>()));
        }
    }

    [Fact]
    public async Task Several_prompts_are_answered_in_order_with_n_choices_each()
    {
        var prompts = DemoDialogue.All.Take(3).Select(dialogue => dialogue.PromptIds).ToArray();
        var answer = await _engine.PostAsync("/v1/completions", new { model = "nano-demo", prompt = prompts, n = 2, temperature = 0, max_tokens = 400 });
        var texts = answer["choices"]!.AsArray().Select(choice => choice!["text"]!.GetValue<string>()).ToArray();
        Assert.Equal(DemoDialogue.All.Take(3).SelectMany(dialogue => new[] { dialogue.Text, dialogue.Text }), texts);
        Assert.Equal(Enumerable.Range(0, 6), answer["choices"]!.AsArray().Select(choice => choice!["index"]!.GetValue<int>()));
    }

    [Fact]
    public async Task The_default_budget_is_sixteen_tokens()
    {
        var answer = await _engine.PostAsync("/v1/completions", new { model = "nano-demo", prompt = Dialogue.PromptIds, temperature = 0 });
        Assert.Equal(16, answer["usage"]!["completion_tokens"]!.GetValue<int>());
        Assert.Equal("length", answer["choices"]![0]!["finish_reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task Streamed_token_ids_arrive_one_event_a_token()
    {
        var events = await _engine.StreamAsync("/v1/completions", new { model = "nano-demo", prompt = Dialogue.PromptIds, temperature = 0, max_tokens = 64, stream = true, return_token_ids = true });
        var chunks = events[..^1].ConvertAll(data => JsonNode.Parse(data)!["choices"]![0]!);
        Assert.Equal(Dialogue.PromptIds, chunks[0]["prompt_token_ids"]!.AsArray().Select(id => id!.GetValue<int>()));
        Assert.Equal(Dialogue.TokenIds, chunks.Where(chunk => chunk["token_ids"] is not null).SelectMany(chunk => chunk["token_ids"]!.AsArray()).Select(id => id!.GetValue<int>()));
        Assert.Equal(Dialogue.Text, string.Concat(chunks.Select(chunk => chunk["text"]!.GetValue<string>())));
    }

    [Fact]
    public async Task Echo_repeats_the_prompt_and_logprobs_have_the_legacy_shape()
    {
        var answer = await _engine.PostAsync("/v1/completions", new { model = "nano-demo", prompt = "What is", temperature = 0, max_tokens = 3, echo = true, logprobs = 2 });
        var choice = answer["choices"]![0]!;
        Assert.StartsWith("What is", choice["text"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(3, choice["logprobs"]!["tokens"]!.AsArray().Count);
        Assert.Equal(3, choice["logprobs"]!["token_logprobs"]!.AsArray().Count);
        Assert.Equal(2, choice["logprobs"]!["top_logprobs"]![0]!.AsObject().Count);
        Assert.Equal(0, choice["logprobs"]!["text_offset"]![0]!.GetValue<int>());
    }

    [Fact]
    public async Task A_repeated_prompt_hits_the_prefix_cache()
    {
        int[] prompt = [.. Enumerable.Range(0, 200).Select(i => 100 + i * 7 % 900)];
        var cold = await _engine.PostAsync("/v1/completions", new { model = "nano-demo", prompt, temperature = 0, return_token_ids = true });
        var warm = await _engine.PostAsync("/v1/completions", new { model = "nano-demo", prompt, temperature = 0, return_token_ids = true });
        Assert.Equal(0, cold["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>());
        Assert.Equal(192, warm["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>());
        Assert.Equal(cold["choices"]![0]!["token_ids"]!.ToJsonString(), warm["choices"]![0]!["token_ids"]!.ToJsonString());
    }
}
