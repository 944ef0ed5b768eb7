using Aspire.Hosting.Docker;

namespace Aspire.Hosting;

/// <summary>Configures the dashboard of a compose file.</summary>
public static class DockerComposeAspireDashboardResourceBuilderExtensions
{
    /// <summary>The port of the machine that shows the pages; null keeps them inside the network.</summary>
    public static IResourceBuilder<DockerComposeAspireDashboardResource> WithHostPort(this IResourceBuilder<DockerComposeAspireDashboardResource> builder, int? port = null) =>
        builder.WithEndpoint(DockerComposeAspireDashboardResource.PagesEndpointName, endpoint => (endpoint.Port, endpoint.IsExternal) = (port, port is not null));

    /// <summary>Whether the dashboard believes the forwarding headers of a reverse proxy in front of it.</summary>
    public static IResourceBuilder<DockerComposeAspireDashboardResource> WithForwardedHeaders(this IResourceBuilder<DockerComposeAspireDashboardResource> builder, bool enabled = true) =>
        builder.WithEnvironment("ASPIRE_DASHBOARD_FORWARDEDHEADERS_ENABLED", enabled ? "true" : "false");
}
