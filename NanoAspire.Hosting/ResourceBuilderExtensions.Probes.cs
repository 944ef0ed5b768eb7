#pragma warning disable ASPIREPROBES001 // declared here
using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting;

public static partial class ResourceBuilderExtensions
{
    /// <summary>Has the platform that the resource is published to ask it by GET requests; a probe of the same type is replaced. Without effect in a run.</summary>
    /// <exception cref="DistributedApplicationException">The endpoint is neither http nor https.</exception>
    [Experimental("ASPIREPROBES001")]
    public static IResourceBuilder<T> WithHttpProbe<T>(this IResourceBuilder<T> builder, ProbeType type, string? path = null, int? initialDelaySeconds = null, int? periodSeconds = null,
        int? timeoutSeconds = null, int? failureThreshold = null, int? successThreshold = null, string? endpointName = null) where T : IResourceWithEndpoints, IResourceWithProbes
    {
        var endpoint = endpointName is null ? DefaultHttpEndpoint(builder.Resource) : builder.GetEndpoint(endpointName);
        if (endpoint.Exists && !endpoint.EndpointAnnotation.IsHttp)
        {
            throw new DistributedApplicationException($"Endpoint '{endpoint.EndpointName}' of '{builder.Resource.Name}' has scheme '{endpoint.Scheme}': an HTTP probe needs http or https.");
        }
        foreach (var old in builder.Resource.Annotations.OfType<ProbeAnnotation>().Where(p => p.Type == type).ToArray()) builder.Resource.Annotations.Remove(old);
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
