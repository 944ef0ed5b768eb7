using System.Text.Json;
using NanoAspire.Router.Continuation;
using NanoAspire.Router.Images;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Requests;

/// <summary>A completion request as the router needs to see it: whose it is, where it may go, and the body it came with.</summary>
internal sealed class InferenceRequest
{
    private static readonly string[] RoutersOwn = ["kv_transfer_params", EncodedImages.Member];
    private static readonly string[] RoutersOwnInPrefill = ["kv_transfer_params", EncodedImages.Member, "stream_options"];

    /// <summary>OpenAI's default for the legacy endpoint.</summary>
    private const int CompletionBudget = 16;

    /// <summary>Of bodies that have been read once, under the limit that counts.</summary>
    private const int MaxDepth = 64;

    private PromptText? _prompt;

    public required InferenceEndpoint Endpoint { get; init; }
    public required JsonObjectBytes Body { get; init; }
    public required string Model { get; init; }
    public bool Stream { get; init; }
    public bool IncludeUsage { get; init; }
    public required string RequestId { get; init; }
    /// <summary>What holds a client's requests together, if it says so.</summary>
    public string? SessionKey { get; init; }
    /// <summary>Higher goes first when requests have to wait.</summary>
    public int Priority { get; init; }
    /// <summary>The client's own limit on the whole request.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Keeps the client waiting patiently until the first byte; ends before the response is written to.</summary>
    public KeepAlive? KeepAlive { get; set; }
    /// <summary>Set when the client's stream can be gone on with: what of it the client has.</summary>
    public StreamProgress? Progress { get; init; }

    /// <summary>Some part of a message is not text.</summary>
    public bool HasMedia { get; init; }
    /// <summary>Set when encoders read the images first: the body then names them by digest instead of holding them.</summary>
    public EncodedImages? Images { get; init; }

    public string Path => Endpoint is InferenceEndpoint.ChatCompletions ? "/v1/chat/completions" : "/v1/completions";
    public string Operation => Endpoint is InferenceEndpoint.ChatCompletions ? "chat" : "text_completion";

    /// <summary>The prompt as policies compare it.</summary>
    public PromptText Prompt => _prompt ??= PromptText.Of(Endpoint, Body);

    /// <summary>Bytes of the prompt: the router's stand-in for its tokens, cheap and proportional.</summary>
    public int PromptBytes => Body.Value(Endpoint is InferenceEndpoint.ChatCompletions ? "messages" : "prompt").Length;

    /// <summary>
    /// The body for an engine that does both phases: the client's, untouched. A hand-off is the router's to give, so a client's own
    /// <c>kv_transfer_params</c> (which names memory of other processes) does not pass.
    /// </summary>
    public ReadOnlyMemory<byte> HybridBody(StreamProgress? progress)
    {
        List<(string, string)> members = [];
        if (progress is not null) members.Add(Resumable);
        if (Images is not null) members.Add(Slots);
        return members.Count > 0 || RoutersOwn.Any(Body.Contains) ? Body.With(RoutersOwn, [.. members]) : Body.Bytes;
    }

    /// <summary>The body for an engine whose answer the router parses: markers must stay in the text, even where they are special tokens.</summary>
    public ReadOnlyMemory<byte> UnparsedBody => Body.Contains("skip_special_tokens") ? HybridBody(null) : Body.With(RoutersOwn, ("skip_special_tokens", "false"));

    /// <summary>The body for prefill: never streamed, KV to be parked. The token budget stays, since it travels with the sequence.</summary>
    public ReadOnlyMemory<byte> PrefillBody => Images is null
        ? Body.With(RoutersOwnInPrefill, NoStream, RemoteDecode)
        : Body.With(RoutersOwnInPrefill, NoStream, RemoteDecode, Slots);

    /// <param name="migration">JSON text of the hand-off, as prefill gave it.</param>
    /// <param name="progress">Set when the engine is to list tokens.</param>
    public ReadOnlyMemory<byte> DecodeBody(string migration, StreamProgress? progress)
    {
        var (stream, handoff) = (("stream", Stream ? "true" : "false"), ("kv_transfer_params", $$"""{"migration":{{migration}}}"""));
        return progress is null ? Body.With(RoutersOwn, stream, handoff) : Body.With(RoutersOwn, stream, handoff, Resumable);
    }

    /// <summary>
    /// Whether a stream of this request can go on at another engine: one answer to one prompt. A grammar is no hindrance, since where
    /// it stands follows from the tokens.
    /// </summary>
    public bool IsContinuable => Stream && Body.Integer("n") is null or 1 && !Body.Has("best_of") && Body.Boolean("echo") is not true && HasOnePrompt;

    /// <summary>Of an answer that goes on: whether the engine can do that and has not just broken off itself.</summary>
    public bool MayServe(Node node) => Progress is not { Moves: > 0 } progress || (node.Has(StreamProgress.Capability) && !progress.Gone.Contains(node));

    /// <summary>The same of an engine that is to compute the prompt: it must be able to read the images.</summary>
    public bool MayCompute(Node node) => MayServe(node) && (Images is null || EncodedImages.AreReadBy(node));

    /// <summary>The request for what is left of the answer; null when nothing is.</summary>
    public InferenceRequest? Rest(StreamProgress progress)
    {
        List<(string Name, string Json)> members = [("resume_token_ids", progress.TokensJson)];
        string[] budgets = [.. new[] { "max_tokens", "max_completion_tokens" }.Where(Body.Has)];
        foreach (var name in budgets) members.Add((name, Left(Body.Integer(name) ?? 0)));
        if (budgets.Length == 0 && Endpoint is InferenceEndpoint.Completions) members.Add(("max_tokens", Left(CompletionBudget)));
        if (members.Any(member => member.Json.StartsWith('-') || member.Json == "0")) return null;
        return Copy(JsonObjectBytes.Parse(Body.With([], [.. members]), MaxDepth), progress);

        string Left(long budget) => (budget - progress.TokenCount).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    public InferenceRequest With(StreamProgress? progress) => Copy(Body, progress);

    /// <param name="images">Those of the messages.</param>
    /// <param name="messages">JSON text that names them by digest.</param>
    public InferenceRequest With(EncodedImages images, string messages) =>
        Copy(JsonObjectBytes.Parse(Body.With([], ("messages", messages)), MaxDepth), Progress, images);

    /// <summary>The client itself asked for token ids.</summary>
    public bool WantsTokens => Body.Boolean("return_token_ids") is true;

    private InferenceRequest Copy(JsonObjectBytes body, StreamProgress? progress, EncodedImages? images = null) => new()
    {
        Endpoint = Endpoint,
        Body = body,
        Model = Model,
        Stream = Stream,
        IncludeUsage = IncludeUsage,
        RequestId = RequestId,
        SessionKey = SessionKey,
        Priority = Priority,
        Timeout = Timeout,
        KeepAlive = KeepAlive,
        Progress = progress,
        HasMedia = HasMedia,
        Images = images ?? Images,
    };

    private static (string, string) Resumable => ("resumable", "true");
    private static (string, string) NoStream => ("stream", "false");
    private static (string, string) RemoteDecode => ("kv_transfer_params", """{"do_remote_decode":true}""");
    private (string, string) Slots => (EncodedImages.Member, Images!.SlotsJson);

    private bool HasOnePrompt => Endpoint is InferenceEndpoint.ChatCompletions || Body.KindOf("prompt") is JsonTokenType.String
        || Body.Value("prompt").Span[1..].TrimStart(" \t\r\n"u8) is [(byte)'-' or (>= (byte)'0' and <= (byte)'9'), ..];

    /// <exception cref="BadRequestException">The body cannot be a request of this endpoint.</exception>
    public static InferenceRequest Parse(InferenceEndpoint endpoint, ReadOnlyMemory<byte> bytes, int maxDepth, string requestId, IHeaderDictionary headers)
    {
        try
        {
            return Read(endpoint, JsonObjectBytes.Parse(bytes, maxDepth), requestId, headers);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)   // the second: text that is not UTF-8
        {
            throw new BadRequestException($"the body is not valid JSON: {e.Message}");
        }
    }

    private static InferenceRequest Read(InferenceEndpoint endpoint, JsonObjectBytes body, string requestId, IHeaderDictionary headers)
    {
        var model = body.String("model");
        if (string.IsNullOrWhiteSpace(model)) throw new BadRequestException("'model' must be a non-empty string", "model");
        if (body.Has("stream") && body.Boolean("stream") is null) throw new BadRequestException("'stream' must be true or false", "stream");
        var media = endpoint is InferenceEndpoint.ChatCompletions && ChatShape.Check(body);
        if (endpoint is InferenceEndpoint.Completions && !body.Has("prompt")) throw new BadRequestException("'prompt' is required", "prompt");

        return new InferenceRequest
        {
            Endpoint = endpoint,
            Body = body,
            Model = model,
            Stream = body.Boolean("stream") is true,
            IncludeUsage = WantsUsage(body),
            RequestId = requestId,
            SessionKey = SessionKeys.Of(headers, body),
            Priority = PriorityOf(headers),
            Timeout = TimeoutOf(headers),
            HasMedia = media,
        };
    }

    private static bool WantsUsage(JsonObjectBytes body)
    {
        if (body.KindOf("stream_options") is JsonTokenType.None or JsonTokenType.Null) return false;
        if (body.KindOf("stream_options") is not JsonTokenType.StartObject) throw new BadRequestException("'stream_options' must be an object", "stream_options");
        return JsonObjectBytes.Parse(body.Value("stream_options"), 64).Boolean("include_usage") is true;
    }

    private static int PriorityOf(IHeaderDictionary headers) => headers["x-priority"].ToString() switch
    {
        "high" => 1,
        "low" => -1,
        _ => 0,
    };

    private static TimeSpan? TimeoutOf(IHeaderDictionary headers)
    {
        if (headers["x-request-timeout-ms"] is not [{ Length: > 0 } text, ..]) return null;
        if (int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var ms) && ms > 0) return TimeSpan.FromMilliseconds(ms);
        throw new BadRequestException("x-request-timeout-ms must be a positive number of milliseconds", "x-request-timeout-ms");
    }
}
