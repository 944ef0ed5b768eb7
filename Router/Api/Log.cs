using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Api;

internal static partial class Log
{
    /// <summary>The access log: one line a request, no text of it.</summary>
    [LoggerMessage(1, LogLevel.Information,
        "{RequestId} {Endpoint} model={Model} stream={Stream} status={Status} outcome={Outcome} encoder={Encoder} prefill={Prefill} engine={Engine} retries={Retries} moves={Moves} " +
        "prompt={PromptTokens} cached={CachedTokens} completion={CompletionTokens} finish={Finish} error={Error} ttft_ms={TtftMs:0.0} ms={Ms:0.0}")]
    public static partial void Request(
        ILogger logger, string requestId, string endpoint, string? model, bool stream, int status, RequestOutcome outcome, string? encoder, string? prefill, string? engine,
        int retries, long? promptTokens, long? cachedTokens, long? completionTokens, string? finish, string? error, double? ttftMs, double ms, int moves);

    [LoggerMessage(2, LogLevel.Error, "A request failed unexpectedly")]
    public static partial void Unexpected(ILogger logger, Exception exception);
}
