using System.Diagnostics;
using NanoAspire.Engine.Server.Generation;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Protocol.OpenAI;

namespace NanoAspire.Engine.Server.Endpoints;

/// <summary>
/// The engine's part of a request's trace, by the OpenTelemetry GenAI conventions: one span a request, a child a phase, none a token.
/// </summary>
internal sealed class RequestSpan : IDisposable
{
    internal static readonly ActivitySource Source = new("NanoAspire.Engine.Server");

    private readonly TimeProvider _time;
    private readonly DateTimeOffset _started;
    private readonly bool _prefillHere;
    private readonly Activity? _request;
    private Activity? _decode;
    private bool _tokenSeen;

    private RequestSpan(Activity? request, bool prefillHere, TimeProvider time)
    {
        _request = request;
        _prefillHere = prefillHere;
        _time = time;
        _started = time.GetUtcNow();
    }

    public static RequestSpan Start(InferenceRequest request, ServedModel model, TimeProvider time)
    {
        var operation = request.Chat ? "chat" : "text_completion";
        var activity = Source.StartActivity($"{operation} {request.Model}");
        activity?.SetTag("gen_ai.operation.name", operation)
            .SetTag("gen_ai.provider.name", "nanoaspire")
            .SetTag("gen_ai.request.model", request.Model)
            .SetTag("gen_ai.request.max_tokens", request.Sampling.MaxTokens)
            .SetTag("gen_ai.request.temperature", request.Sampling.Temperature)
            .SetTag("gen_ai.request.top_p", request.Sampling.TopP)
            .SetTag("gen_ai.request.seed", request.Sampling.Seed)
            .SetTag("gen_ai.request.choice.count", request.Choices == 1 ? null : request.Choices)
            .SetTag("gen_ai.response.model", model.Name)
            .SetTag("nanoaspire.engine.role", model.Role.ToString().ToLowerInvariant());
        return new(activity, request.KvTransfer?.Migration is null, time);
    }

    /// <summary>Call on every token: the first one ends the prefill phase and begins decode.</summary>
    public void FirstToken()
    {
        if (_tokenSeen) return;
        _tokenSeen = true;
        EndPrefill();
        _decode = Source.StartActivity("decode", ActivityKind.Internal, _request?.Context ?? default);
    }

    public void End(IReadOnlyList<ChoiceResult> choices, Usage usage)
    {
        if (!_tokenSeen) EndPrefill();
        _decode?.SetTag("gen_ai.usage.output_tokens", usage.CompletionTokens).Dispose();
        _request?.SetTag("gen_ai.usage.input_tokens", usage.PromptTokens)
            .SetTag("gen_ai.usage.output_tokens", usage.CompletionTokens)
            .SetTag("gen_ai.usage.cached_tokens", usage.PromptTokensDetails?.CachedTokens)
            .SetTag("gen_ai.response.finish_reasons", choices.Select(choice => choice.FinishReason ?? choice.Error ?? "handoff").ToArray());
    }

    public void Fail(Exception exception)
    {
        _decode?.Dispose();
        if (exception is OperationCanceledException) _request?.SetTag("error.type", "client_closed");
        else _request?.AddException(exception).SetStatus(ActivityStatusCode.Error, exception.Message);
    }

    public void Dispose()
    {
        _decode?.Dispose();
        _request?.Dispose();
    }

    private void EndPrefill()
    {
        if (!_prefillHere) return;
        Source.StartActivity("prefill", ActivityKind.Internal, _request?.Context ?? default, startTime: _started)?.SetEndTime(_time.GetUtcNow().UtcDateTime).Dispose();
    }
}
