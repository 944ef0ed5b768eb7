using System.Text.Json;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Protocol.OpenAI;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Generation;

internal sealed class ChatAnswerFormat(InferenceRequest request, ServedModel model, IReadOnlyList<int[]> prompts, string id, DateTimeOffset created)
    : AnswerFormat(request, model, prompts, id, created)
{
    protected override string ChunkObject => "chat.completion.chunk";

    public override byte[] Whole(IReadOnlyList<ChoiceResult> choices, KvTransferParams? handoff) =>
        JsonSerializer.SerializeToUtf8Bytes(new ChatCompletion
        {
            Id = Id,
            Created = Created,
            Model = Request.Model,
            Choices = [.. choices.Select((choice, index) => new ChatChoice
            {
                Index = index,
                Message = Model.MirrorReasoning ? choice.Message with { Reasoning = choice.Message.ReasoningContent } : choice.Message,
                Logprobs = Request.Sampling.Logprobs is null ? null : Logprobs.Chat(choice.Tokens),
                FinishReason = choice.FinishReason,
                TokenIds = Request.ReturnTokenIds ? [.. choice.Tokens.Select(token => token.Id)] : null,
            })],
            Usage = UsageOf(choices),
            PromptTokenIds = Request.ReturnTokenIds ? Prompts[0] : null,
            KvTransferParams = handoff,
        }, OpenAIJson.Relaxed.ChatCompletion);

    public override ReadOnlyMemory<byte> Opening(int choice) => Frame((Format: this, choice), static (json, state) =>
    {
        json.WriteStartObject();
        json.WriteNumber("index", state.choice);
        json.WriteStartObject("delta");
        json.WriteString("role", "assistant");
        json.WriteString("content", "");
        json.WriteEndObject();
        json.WriteNull("logprobs");
        json.WriteNull("finish_reason");
        if (state.Format.Request.ReturnTokenIds) WriteIds(json, "prompt_token_ids", state.Format.Prompts[0]);
        json.WriteEndObject();
    });

    protected override void WriteChoice(Utf8JsonWriter json, in ChoiceDelta delta)
    {
        json.WriteNumber("index", delta.Choice);
        json.WriteStartObject("delta");
        if (delta.Parts is not null) ChatDeltaWriter.Write(json, delta.Parts, Model.MirrorReasoning);
        else if (delta.Text.Length > 0) json.WriteString("content", delta.Text);
        json.WriteEndObject();
        if (Request.Sampling.Logprobs is not null && delta.Token is { } token)
        {
            json.WritePropertyName("logprobs");
            JsonSerializer.Serialize(json, Logprobs.Chat([token]), OpenAIJson.Relaxed.ChatLogprobs);
        }
        else
        {
            json.WriteNull("logprobs");
        }
        WriteEnd(json, delta);
    }
}
