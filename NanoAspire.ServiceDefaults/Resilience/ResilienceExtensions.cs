using Microsoft.Extensions.DependencyInjection.Extensions;
using NanoAspire.ServiceDefaults.Resilience;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Two policies for HTTP clients, by what a repeated call costs.</summary>
public static class ResilienceExtensions
{
    /// <summary>
    /// For calls that are cheap to repeat (registry, health, metadata): at most 1000 at a time, 30 s in total, 3 retries after 2, 4, 8 s
    /// with jitter (or after <c>Retry-After</c>) on 408, 429, 5xx, connection errors and attempts over 10 s, and a circuit breaker.
    /// Bodies are buffered up to 4 MB so that they can be sent again. Outermost: every retry is resolved afresh.
    /// </summary>
    public static IHttpClientBuilder AddControlResilience(this IHttpClientBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.ConfigureHttpClient(static client => client.Timeout = Timeout.InfiniteTimeSpan);
        return builder.ConfigureAdditionalHttpMessageHandlers(static (handlers, services) =>
            handlers.Insert(0, new ControlResilienceHandler(services.GetRequiredService<TimeProvider>())));
    }

    /// <summary>
    /// For generation: no time limit but 2 s to connect. A request is sent again only when the connection failed before anything left,
    /// or, when <see cref="InferenceRequest.IsIdempotent"/> is set, when no response has begun. A circuit breaker per engine address.
    /// </summary>
    public static IHttpClientBuilder AddInferenceResilience(this IHttpClientBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.ConfigureHttpClient(static client => client.Timeout = Timeout.InfiniteTimeSpan);
        builder.ConfigurePrimaryHttpMessageHandler(static (handler, _) =>
        {
            if (handler is SocketsHttpHandler sockets) sockets.ConnectTimeout = TimeSpan.FromSeconds(2);
        });
        return builder.ConfigureAdditionalHttpMessageHandlers(static (handlers, services) =>
            handlers.Add(new InferenceResilienceHandler(services.GetRequiredService<TimeProvider>())));
    }
}
