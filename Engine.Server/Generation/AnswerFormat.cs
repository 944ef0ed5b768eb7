using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Protocol.OpenAI;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>
/// Renders one request's answer: whole, or event by event. Chat and text completions differ in the shape of a choice only.
/// Events are written by hand: there is one a token, and they carry <c>"usage":null</c> when the client asked for usage.
/// </summary>
internal abstract class AnswerFormat : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(512);
    private readonly Utf8JsonWriter _json;

    protected AnswerFormat(InferenceRequest request, ServedModel model, IReadOnlyList<int[]> prompts, string id, DateTimeOffset created)
    {
        Request = request;
        Model = model;
        Prompts = prompts;
        Id = id;
        Created = created.ToUnixTimeSeconds();
        Logprobs = new(model.Tokenizer);
        _json = new(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
    }

    protected InferenceRequest Request { get; }
    protected ServedModel Model { get; }
    protected IReadOnlyList<int[]> Prompts { get; }
    protected string Id { get; }
    protected long Created { get; }
    protected LogprobRenderer Logprobs { get; }
    protected abstract string ChunkObject { get; }
    private int Resumed => Request.ResumeTokenIds?.Length ?? 0;
    private bool ListsTokens => Request.ReturnTokenIds || Request.Resumable;

    public static AnswerFormat Create(InferenceRequest request, ServedModel model, IReadOnlyList<int[]> prompts, DateTimeOffset now)
    {
        var id = Guid.CreateVersion7(now).ToString("N");
        return request.Chat
            ? new ChatAnswerFormat(request, model, prompts, $"chatcmpl-{id}", now)
            : new TextAnswerFormat(request, model, prompts, $"cmpl-{id}", now, new AnswerTexts(model).ResumedLength(request));
    }

    /// <summary>The whole answer as JSON.</summary>
    public abstract byte[] Whole(IReadOnlyList<ChoiceResult> choices, KvTransferParams? handoff);

    /// <summary>True when a delta is worth an event of its own.</summary>
    public bool Shows(in ChoiceDelta delta) =>
        (delta.Parts is null ? delta.Text.Length > 0 : delta.Parts.Count > 0) || delta.FinishReason is not null
        || (delta.Token is not null && (ListsTokens || Request.Sampling.Logprobs is not null));

    /// <summary>The first event of a choice, before any token; empty when the format has none.</summary>
    public virtual ReadOnlyMemory<byte> Opening(int choice) => default;

    /// <summary>One event, framed; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Event(ChoiceDelta delta) => Frame((Format: this, delta), static (json, state) =>
    {
        json.WriteStartObject();
        state.Format.WriteChoice(json, state.delta);
        json.WriteEndObject();
    });

    /// <summary>The usage event that precedes <c>[DONE]</c> when the client asked for it.</summary>
    public ReadOnlyMemory<byte> UsageEvent(IReadOnlyList<ChoiceResult> choices) => Frame(0, static (_, _) => { }, UsageOf(choices));

    public Usage UsageOf(IReadOnlyList<ChoiceResult> choices) => new()
    {
        PromptTokens = Prompts.Sum(prompt => prompt.Length) - Resumed,
        CompletionTokens = choices.Sum(choice => choice.Tokens.Count) + Resumed,
        PromptTokensDetails = new(choices.Count == 0 ? 0 : choices[0].CachedTokens),
        CompletionTokensDetails = choices.Sum(choice => choice.ReasoningTokens) is > 0 and var reasoning ? new(reasoning) : null,
    };

    public void Dispose() => _json.Dispose();

    protected abstract void WriteChoice(Utf8JsonWriter json, in ChoiceDelta delta);

    protected void WriteEnd(Utf8JsonWriter json, in ChoiceDelta delta)
    {
        if (delta.FinishReason is { } reason) json.WriteString("finish_reason", reason);
        else json.WriteNull("finish_reason");
        if (ListsTokens && delta.Token is { } token) WriteIds(json, "token_ids", [token.Id]);
    }

    protected static void WriteIds(Utf8JsonWriter json, string name, ReadOnlySpan<int> ids)
    {
        json.WriteStartArray(name);
        foreach (var id in ids) json.WriteNumberValue(id);
        json.WriteEndArray();
    }

    protected ReadOnlyMemory<byte> Frame<T>(T state, Action<Utf8JsonWriter, T> writeChoice, Usage? usage = null)
    {
        _buffer.ResetWrittenCount();
        _buffer.Write("data: "u8);
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("id", Id);
        _json.WriteString("object", ChunkObject);
        _json.WriteNumber("created", Created);
        _json.WriteString("model", Request.Model);
        _json.WriteStartArray("choices");
        writeChoice(_json, state);
        _json.WriteEndArray();
        if (usage is not null)
        {
            _json.WritePropertyName("usage");
            JsonSerializer.Serialize(_json, usage, OpenAIJson.Relaxed.Usage);
        }
        else if (Request.IncludeUsage)
        {
            _json.WriteNull("usage");
        }
        _json.WriteEndObject();
        _json.Flush();
        _buffer.Write("\n\n"u8);
        return _buffer.WrittenMemory;
    }
}
