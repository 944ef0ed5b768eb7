using System.Net;
using System.Threading.RateLimiting;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace NanoAspire.ServiceDefaults.Resilience;

/// <summary>Concurrency limit → total timeout → retry → circuit breaker → attempt timeout, outer to inner.</summary>
internal sealed class ControlResilienceHandler : DelegatingHandler
{
    private const int MaxConcurrentCalls = 1000;
    private const long MaxBufferedBody = 4 << 20;

    private readonly ConcurrencyLimiter _limiter = new(new() { PermitLimit = MaxConcurrentCalls, QueueLimit = 0 });
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;

    public ControlResilienceHandler(TimeProvider time)
    {
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddTimeout(TimeSpan.FromSeconds(30))
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = args => ValueTask.FromResult(IsTransient(args.Outcome)),
                MaxRetryAttempts = 3,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromSeconds(2),
                UseJitter = true,
                DelayGenerator = args => ValueTask.FromResult(RetryAfter(args.Outcome.Result, time)),
                OnRetry = static args =>
                {
                    args.Outcome.Result?.Dispose();
                    return default;
                },
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = args => ValueTask.FromResult(IsTransient(args.Outcome)),
                FailureRatio = 0.1,
                MinimumThroughput = 100,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = TimeSpan.FromSeconds(5),
            })
            .AddTimeout(TimeSpan.FromSeconds(10))
            .Build();
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var permit = _limiter.AttemptAcquire();
        if (!permit.IsAcquired) throw new HttpRequestException($"More than {MaxConcurrentCalls} control calls are in flight");
        if (request.Content is { } content) await content.LoadIntoBufferAsync(MaxBufferedBody, cancellationToken);
        return await _pipeline.ExecuteAsync(
            static async (call, token) => await call.Handler.SendOnceAsync(call.Request, token), (Handler: this, Request: request), cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _limiter.Dispose();
        base.Dispose(disposing);
    }

    private Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.SendAsync(request, cancellationToken);

    private static bool IsTransient(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Exception: HttpRequestException or TimeoutRejectedException } => true,
        { Result.StatusCode: HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError } => true,
        _ => false,
    };

    /// <summary>Null lets the exponential delay stand.</summary>
    private static TimeSpan? RetryAfter(HttpResponseMessage? response, TimeProvider time)
    {
        var after = response?.Headers.RetryAfter;
        var delay = after?.Delta ?? (after?.Date - time.GetUtcNow());
        return delay < TimeSpan.Zero ? TimeSpan.Zero : delay;
    }
}
