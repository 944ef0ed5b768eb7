using Microsoft.Extensions.DependencyInjection;
using NanoAspire.Hosting.Run;

namespace Aspire.Hosting;

/// <summary>Adds services that somebody else runs.</summary>
public static class ExternalServiceBuilderExtensions
{
    public static IResourceBuilder<ExternalServiceResource> AddExternalService(this IDistributedApplicationBuilder builder, string name, string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
            ? builder.AddExternalService(name, uri)
            : throw new ArgumentException($"The URL '{url}' for external service '{name}' is not absolute.", nameof(url));

    public static IResourceBuilder<ExternalServiceResource> AddExternalService(this IDistributedApplicationBuilder builder, string name, Uri uri) =>
        builder.AddResource(new ExternalServiceResource(name, uri)).ExcludeFromManifest();

    public static IResourceBuilder<ExternalServiceResource> AddExternalService(this IDistributedApplicationBuilder builder, string name,
        IResourceBuilder<ParameterResource> urlParameter) => builder.AddResource(new ExternalServiceResource(name, urlParameter.Resource)).ExcludeFromManifest();

    /// <summary>The service counts as healthy while a GET of the path, relative to its URL, answers with exactly the status.</summary>
    /// <exception cref="DistributedApplicationException">The URL is neither http nor https.</exception>
    public static IResourceBuilder<ExternalServiceResource> WithHttpHealthCheck(this IResourceBuilder<ExternalServiceResource> builder, string? path = null, int? statusCode = null)
    {
        if (builder.Resource.Uri is { Scheme: not ("http" or "https") } uri)
        {
            throw new DistributedApplicationException($"The URL '{uri}' of external service '{builder.Resource.Name}' is neither http nor https: it has no HTTP health check.");
        }
        var status = statusCode ?? 200;
        var key = $"{builder.Resource.Name}_external_{path ?? "/"}_{status}_check";
        builder.ApplicationBuilder.Services.AddHealthChecks().AddCheck(key, new ExternalHealthCheck(builder.Resource, path ?? "", status));
        return builder.WithHealthCheck(key);
    }
}
