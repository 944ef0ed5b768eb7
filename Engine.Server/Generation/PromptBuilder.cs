using System.Text.Json.Nodes;
using NanoAspire.Engine.Server.Endpoints;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Engine.Text;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>Turns a request into prompt ids: chat template, tokenizer, range and length checks.</summary>
internal sealed class PromptBuilder(ServedModel model)
{
    public IReadOnlyList<int[]> Build(InferenceRequest request)
    {
        using var span = RequestSpan.Source.StartActivity("tokenize");
        IReadOnlyList<int[]> prompts = request.Chat ? [Chat(request.Messages!, request.Tools, request.AddGenerationPrompt, request.TemplateArguments)] : [.. request.Prompts.Select(prompt => prompt.Ids ?? Encode(prompt.Text!))];
        if (request.ResumeTokenIds is { } resumed) prompts = [[.. prompts[0], .. resumed]];
        foreach (var prompt in prompts) Check(prompt, request);
        span?.SetTag("gen_ai.usage.input_tokens", prompts.Sum(prompt => prompt.Length));
        return prompts;
    }

    /// <summary>Ids of a conversation, as the model's template writes it.</summary>
    public int[] Chat(JsonArray messages, JsonArray? tools, bool addGenerationPrompt, JsonObject? arguments)
    {
        if (model.Tokenizer is null) throw NoTokenizer("messages");
        if (model.Template is null)
            throw new BadRequestException($"model '{model.Name}' has no chat template; use /v1/completions", "messages", "no_chat_template");
        try
        {
            var text = EarlierCalls.Parsed(messages) is { } parsed
                ? RenderEither(model.Template, parsed, messages, tools, addGenerationPrompt, arguments)
                : model.Template.Render(messages, tools, addGenerationPrompt, arguments);
            return model.Tokenizer.Encode(text, addSpecialTokens: false);
        }
        catch (ChatTemplateException e)
        {
            throw new BadRequestException($"the chat template refuses the messages: {e.Message}", "messages");
        }
    }

    /// <summary>Most templates expect a call's arguments as an object, some as the text that clients send.</summary>
    private static string RenderEither(ChatTemplate template, JsonArray parsed, JsonArray messages, JsonArray? tools, bool addGenerationPrompt, JsonObject? arguments)
    {
        try { return template.Render(parsed, tools, addGenerationPrompt, arguments); }
        catch (ChatTemplateException e) when (!e.RaisedByTemplate) { return template.Render(messages, tools, addGenerationPrompt, arguments); }
    }

    public int[] Encode(string text, bool addSpecialTokens = true) =>
        model.Tokenizer is { } tokenizer ? tokenizer.Encode(text, addSpecialTokens) : throw NoTokenizer("prompt");

    private BadRequestException NoTokenizer(string param) =>
        new($"model '{model.Name}' has no tokenizer; send the prompt as a list of token ids to /v1/completions", param, "no_tokenizer");

    private void Check(int[] prompt, InferenceRequest request)
    {
        var param = request.Chat ? "messages" : "prompt";
        if (prompt.Length == 0) throw new BadRequestException("the prompt has no tokens", param);
        var vocabulary = model.Runner.Model.VocabSize;
        foreach (var id in prompt)
            if ((uint)id >= (uint)vocabulary)
                throw new BadRequestException($"token id {id} is outside the vocabulary of {vocabulary}", param, EngineRejectedException.InvalidToken);
        foreach (var id in request.Sampling.LogitBias.Keys.Concat(request.Sampling.StopTokenIds))
            if ((uint)id >= (uint)vocabulary)
                throw new BadRequestException($"token id {id} is outside the vocabulary of {vocabulary}", "logit_bias", EngineRejectedException.InvalidToken);
        if (request.Sampling.MaxTokens is { } budget && (long)prompt.Length + budget > model.MaxModelLength)
            throw new BadRequestException(
                $"this model's maximum context length is {model.MaxModelLength} tokens; the prompt has {prompt.Length} and {budget} were asked for",
                param, EngineRejectedException.ContextLengthExceeded);
        if (prompt.Length >= model.MaxModelLength)
            throw new BadRequestException(
                $"this model's maximum context length is {model.MaxModelLength} tokens; the prompt has {prompt.Length}",
                param, EngineRejectedException.ContextLengthExceeded);
    }
}
