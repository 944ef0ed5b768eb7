using System.Text.Json;

namespace NanoAspire.Router.Requests;

/// <summary>A completion request as the router needs to see it: whose it is, where it may go, and the body it came with.</summary>
internal sealed class InferenceRequest
{
    private static readonly string[] RoutersOwn = ["kv_transfer_params"];
    private static readonly string[] RoutersOwnInPrefill = ["kv_transfer_params", "stream_options"];

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
    public ReadOnlyMemory<byte> HybridBody => Body.Contains("kv_transfer_params") ? Body.With(RoutersOwn) : Body.Bytes;

    /// <summary>The body for prefill: never streamed, KV to be parked. The token budget stays, since it travels with the sequence.</summary>
    public ReadOnlyMemory<byte> PrefillBody => Body.With(RoutersOwnInPrefill, ("stream", "false"), ("kv_transfer_params", """{"do_remote_decode":true}"""));

    /// <param name="migration">JSON text of the hand-off, as prefill gave it.</param>
    public ReadOnlyMemory<byte> DecodeBody(string migration) =>
        Body.With([], ("stream", Stream ? "true" : "false"), ("kv_transfer_params", $$"""{"migration":{{migration}}}"""));

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
        if (endpoint is InferenceEndpoint.ChatCompletions) ChatShape.Check(body);
        else if (!body.Has("prompt")) throw new BadRequestException("'prompt' is required", "prompt");

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
