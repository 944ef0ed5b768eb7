#pragma warning disable ASPIREPROBES001 // declared here
using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting;

public static partial class ResourceBuilderExtensions
{
    private const int HttpProbeStatus = 200;

    /// <summary>Has the platform that the resource is published to ask it by GET requests; a probe of the same type is replaced. In a run the path is a health check.</summary>
    /// <exception cref="DistributedApplicationException">The endpoint is neither http nor https.</exception>
    [Experimental("ASPIREPROBES001")]
    public static IResourceBuilder<T> WithHttpProbe<T>(this IResourceBuilder<T> builder, ProbeType type, string? path = null, int? initialDelaySeconds = null, int? periodSeconds = null,
        int? timeoutSeconds = null, int? failureThreshold = null, int? successThreshold = null, string? endpointName = null) where T : IResourceWithEndpoints, IResourceWithProbes
        => builder.WithHttpProbe(type, endpointName is null ? null : () => builder.GetEndpoint(endpointName), path, initialDelaySeconds, periodSeconds, timeoutSeconds, failureThreshold, successThreshold);

    /// <inheritdoc cref="WithHttpProbe{T}(IResourceBuilder{T}, ProbeType, string?, int?, int?, int?, int?, int?, string?)"/>
    [Experimental("ASPIREPROBES001")]
    public static IResourceBuilder<T> WithHttpProbe<T>(this IResourceBuilder<T> builder, ProbeType type, Func<EndpointReference>? endpointSelector, string? path = null,
        int? initialDelaySeconds = null, int? periodSeconds = null, int? timeoutSeconds = null, int? failureThreshold = null, int? successThreshold = null)
        where T : IResourceWithEndpoints, IResourceWithProbes
    {
        var endpoint = (endpointSelector ?? (() => DefaultHttpEndpoint(builder.Resource)))();
        if (endpoint.Exists && !endpoint.EndpointAnnotation.IsHttp)
        {
            throw new DistributedApplicationException($"Endpoint '{endpoint.EndpointName}' of '{builder.Resource.Name}' has scheme '{endpoint.Scheme}': an HTTP probe needs http or https.");
        }
        foreach (var old in builder.Resource.Annotations.OfType<ProbeAnnotation>().Where(p => p.Type == type).ToArray()) builder.Resource.Annotations.Remove(old);
        // Several probes of one path are one check. A published chart has the probe itself.
        var key = HttpCheckKey(endpoint, path ?? "/", HttpProbeStatus);
        if (builder.ApplicationBuilder.ExecutionContext.IsRunMode && !builder.Resource.Annotations.OfType<HealthCheckAnnotation>().Any(a => a.Key == key))
        {
            builder.WithHttpHealthCheck(() => endpoint, path, HttpProbeStatus);
        }
        return builder.WithAnnotation(new EndpointProbeAnnotation
        {
            Type = type,
            EndpointReference = endpoint,
            Path = path ?? "/",
            InitialDelaySeconds = initialDelaySeconds ?? 5,
            PeriodSeconds = periodSeconds ?? 5,
            TimeoutSeconds = timeoutSeconds ?? 1,
            FailureThreshold = failureThreshold ?? 3,
            SuccessThreshold = successThreshold ?? 1,
        });
    }
}
