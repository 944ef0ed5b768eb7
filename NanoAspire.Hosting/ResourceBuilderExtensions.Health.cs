using Microsoft.Extensions.DependencyInjection;
using NanoAspire.Hosting.Run;

namespace Aspire.Hosting;

public static partial class ResourceBuilderExtensions
{
    /// <summary>Ties a check registered with <c>builder.Services.AddHealthChecks()</c> to the resource.</summary>
    public static IResourceBuilder<T> WithHealthCheck<T>(this IResourceBuilder<T> builder, string key) where T : IResource
    {
        if (builder.Resource.Annotations.OfType<HealthCheckAnnotation>().Any(a => a.Key == key))
        {
            throw new DistributedApplicationException($"Resource '{builder.Resource.Name}' already has a health check with key '{key}'.");
        }
        return builder.WithAnnotation(new HealthCheckAnnotation(key));
    }

    /// <summary>The resource is healthy while a GET of the path answers with exactly the status.</summary>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null)
        where T : IResourceWithEndpoints => builder.WithHttpHealthCheck(
            endpointName is null ? null : () => builder.GetEndpoint(endpointName), path, statusCode);

    /// <inheritdoc cref="WithHttpHealthCheck{T}(IResourceBuilder{T}, string?, int?, string?)"/>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(this IResourceBuilder<T> builder, Func<EndpointReference>? endpointSelector, string? path = null,
        int? statusCode = null) where T : IResourceWithEndpoints
    {
        var endpoint = (endpointSelector ?? (() => DefaultHttpEndpoint(builder.Resource)))();
        if (endpoint.Exists && !endpoint.EndpointAnnotation.IsHttp)
        {
            throw new DistributedApplicationException(
                $"Endpoint '{endpoint.EndpointName}' of '{builder.Resource.Name}' has scheme '{endpoint.Scheme}': an HTTP health check needs http or https.");
        }
        path ??= "/";
        var status = statusCode ?? 200;
        var key = HttpCheckKey(endpoint, path, status);
        builder.WithAnnotation(new HttpHealthCheckAnnotation(key, () => endpoint, path, status));
        builder.ApplicationBuilder.Services.AddHealthChecks().AddCheck(key, new HttpHealthCheck(endpoint, path, status));
        return builder.WithHealthCheck(key);
    }

    private static string HttpCheckKey(EndpointReference endpoint, string path, int status) => $"{endpoint.Resource.Name}_{endpoint.EndpointName}_{path}_{status}_check";

    private static EndpointReference DefaultHttpEndpoint(IResourceWithEndpoints resource) =>
        resource.GetEndpoints().FirstOrDefault(e => e.EndpointName == "https") ??
        resource.GetEndpoints().FirstOrDefault(e => e.EndpointName == "http") ??
        resource.GetEndpoints().FirstOrDefault(e => e.EndpointAnnotation.IsHttp) ??
        throw new DistributedApplicationException($"Resource '{resource.Name}' has no http or https endpoint.");
}
