using System.Text.Json;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Protocol.OpenAI;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Generation;

/// <param name="request">What was asked.</param>
/// <param name="model">Who answers.</param>
/// <param name="prompts">The prompts' ids.</param>
/// <param name="id">The answer's id.</param>
/// <param name="created">When it began.</param>
/// <param name="resumedLength">Characters of the answer that another engine has sent.</param>
internal sealed class TextAnswerFormat(InferenceRequest request, ServedModel model, IReadOnlyList<int[]> prompts, string id, DateTimeOffset created, int resumedLength)
    : AnswerFormat(request, model, prompts, id, created)
{
    private readonly int[] _offsets = [.. Enumerable.Repeat(resumedLength, prompts.Count * request.Choices)];

    protected override string ChunkObject => "text_completion";

    public override byte[] Whole(IReadOnlyList<ChoiceResult> choices, KvTransferParams? handoff) =>
        JsonSerializer.SerializeToUtf8Bytes(new TextCompletion
        {
            Id = Id,
            Created = Created,
            Model = Request.Model,
            Choices = [.. choices.Select((choice, index) => new TextChoice
            {
                Index = index,
                Text = EchoOf(index) + choice.Text,
                Logprobs = Request.Sampling.Logprobs is null ? null : Logprobs.Text(choice.Tokens, choice.Offsets),
                FinishReason = choice.FinishReason,
                PromptTokenIds = Request.ReturnTokenIds ? PromptOf(index) : null,
                TokenIds = Request.ReturnTokenIds ? [.. choice.Tokens.Select(token => token.Id)] : null,
            })],
            Usage = UsageOf(choices),
            KvTransferParams = handoff,
        }, OpenAIJson.Relaxed.TextCompletion);

    public override ReadOnlyMemory<byte> Opening(int choice)
    {
        var echo = EchoOf(choice);
        if (echo.Length == 0 && !Request.ReturnTokenIds) return default;
        return Frame((Format: this, choice, echo), static (json, state) =>
        {
            json.WriteStartObject();
            json.WriteNumber("index", state.choice);
            json.WriteString("text", state.echo);
            json.WriteNull("logprobs");
            json.WriteNull("finish_reason");
            if (state.Format.Request.ReturnTokenIds) WriteIds(json, "prompt_token_ids", state.Format.PromptOf(state.choice));
            json.WriteEndObject();
        });
    }

    protected override void WriteChoice(Utf8JsonWriter json, in ChoiceDelta delta)
    {
        json.WriteNumber("index", delta.Choice);
        json.WriteString("text", delta.Text);
        if (Request.Sampling.Logprobs is not null && delta.Token is { } token)
        {
            json.WritePropertyName("logprobs");
            JsonSerializer.Serialize(json, Logprobs.Text([token], [_offsets[delta.Choice]]), OpenAIJson.Relaxed.TextLogprobs);
        }
        else
        {
            json.WriteNull("logprobs");
        }
        _offsets[delta.Choice] += delta.Text.Length;
        WriteEnd(json, delta);
    }

    private int[] PromptOf(int choice) => Prompts[choice / Request.Choices];

    private string EchoOf(int choice)
    {
        if (!Request.Echo) return "";
        var input = Request.Prompts[choice / Request.Choices];
        return input.Text ?? Model.Tokenizer?.Decode(input.Ids!, Request.SkipSpecialTokens) ?? "";
    }
}
