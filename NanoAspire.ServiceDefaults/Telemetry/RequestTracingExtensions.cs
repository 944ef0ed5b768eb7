using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.ServiceDefaults.Telemetry;

namespace Microsoft.Extensions.Hosting;

/// <summary>Keeps periodic housekeeping (heartbeats, probes, scrapes) out of the traces, where it would bury the requests.</summary>
public static class RequestTracingExtensions
{
    /// <summary>No server span is exported for requests to these endpoints.</summary>
    public static TBuilder DisableRequestTracing<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(static endpoint => endpoint.Metadata.Add(UntracedEndpoint.Instance));
        return builder;
    }

    /// <summary>This client starts no spans and sends no trace context.</summary>
    public static IHttpClientBuilder DisableRequestTracing(this IHttpClientBuilder builder) =>
        builder.ConfigurePrimaryHttpMessageHandler(static (handler, _) =>
        {
            if (handler is SocketsHttpHandler sockets) sockets.ActivityHeadersPropagator = null;
        });
}
