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
}
