using Aspire.Hosting.Docker;
using Aspire.Hosting.Docker.Resources.ComposeNodes;

namespace NanoAspire.Hosting.Publishing.Compose;

/// <summary>The standalone dashboard as a service.</summary>
internal static class ComposeDashboard
{
    public const int OtlpPort = 18889;

    public static IResourceBuilder<DockerComposeAspireDashboardResource> AddTo(IDistributedApplicationBuilder builder, DockerComposeEnvironmentResource environment) =>
        builder.CreateResourceBuilder(new DockerComposeAspireDashboardResource($"{environment.Name}-dashboard"))
            .WithImage("mcr.microsoft.com/dotnet/nightly/aspire-dashboard")
            .WithHttpEndpoint(targetPort: 18888)
            .WithEndpoint(DockerComposeAspireDashboardResource.PagesEndpointName, endpoint => endpoint.IsExternal = true)
            .WithHttpEndpoint(name: DockerComposeAspireDashboardResource.OtlpGrpcEndpointName, targetPort: OtlpPort)
            .WithHttpEndpoint(name: "otlp-http", targetPort: 18890);

    public static async Task<Service> CreateAsync(DockerComposeAspireDashboardResource dashboard, ComposeServices services, CancellationToken ct)
    {
        var service = await services.CreateAsync(dashboard, new HashSet<string>(), ct).ConfigureAwait(false);
        service.Restart = "always";
        return service;
    }
}
