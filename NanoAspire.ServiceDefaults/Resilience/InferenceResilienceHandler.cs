using System.Collections.Concurrent;
using System.Net.Http.Json;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace NanoAspire.ServiceDefaults.Resilience;

/// <summary>Retry before the first byte → circuit breaker of the engine address. Innermost, so it sees resolved addresses.</summary>
internal sealed class InferenceResilienceHandler(TimeProvider time) : DelegatingHandler
{
    private const int MaxBreakers = 1024;
    private static readonly ResiliencePropertyKey<HttpRequestMessage> RequestKey = new("request");

    private readonly ConcurrentDictionary<string, ResiliencePipeline<HttpResponseMessage>> _pipelines = new(StringComparer.OrdinalIgnoreCase);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var authority = request.RequestUri?.Authority ?? throw new InvalidOperationException("The request has no address");
        // Addresses of engines long gone would pile up; starting over loses only the breakers' memory.
        if (_pipelines.Count >= MaxBreakers && !_pipelines.ContainsKey(authority)) _pipelines.Clear();
        var pipeline = _pipelines.GetOrAdd(authority, _ => Build());

        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        try
        {
            context.Properties.Set(RequestKey, request);
            return await pipeline.ExecuteAsync(
                static async (context, handler) =>
                {
                    var request = context.Properties.GetValue(RequestKey, null!);
                    return await handler.SendOnceAsync(request, context.CancellationToken);
                },
                context,
                this);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.SendAsync(request, cancellationToken);

    private ResiliencePipeline<HttpResponseMessage> Build() =>
        new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = args => ValueTask.FromResult(
                    args.Outcome.Exception is HttpRequestException failure && MaySendAgain(args.Context.Properties.GetValue(RequestKey, null!), failure)),
                MaxRetryAttempts = 2,
                Delay = TimeSpan.FromMilliseconds(100),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = static args => ValueTask.FromResult(args.Outcome.Exception is HttpRequestException),
                FailureRatio = 0.5,
                MinimumThroughput = 10,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = TimeSpan.FromSeconds(5),
            })
            .Build();

    private static bool MaySendAgain(HttpRequestMessage request, HttpRequestException failure)
    {
        if (failure.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError) return true;
        return request.Options.TryGetValue(InferenceRequest.IsIdempotent, out var idempotent) && idempotent && IsReplayable(request.Content);
    }

    private static bool IsReplayable(HttpContent? content) => content is null or ByteArrayContent or ReadOnlyMemoryContent or JsonContent;
}
