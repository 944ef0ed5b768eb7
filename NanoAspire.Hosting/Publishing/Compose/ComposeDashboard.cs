using Aspire.Hosting.Docker;
using Aspire.Hosting.Docker.Resources.ComposeNodes;

namespace NanoAspire.Hosting.Publishing.Compose;

/// <summary>The standalone dashboard as a service.</summary>
internal static class ComposeDashboard
{
    public const int OtlpPort = 18889;
    private const string Image = "mcr.microsoft.com/dotnet/nightly/aspire-dashboard:latest";

    public static string ServiceName(DockerComposeEnvironmentResource environment) => $"{environment.Name.ToLowerInvariant()}-dashboard";

    public static Service Create(DockerComposeEnvironmentResource environment) => new()
    {
        Name = ServiceName(environment),
        Image = Image,
        Ports = ["18888:18888"],
        Expose = ["18889", "18890"],
        Networks = [environment.DefaultNetworkName ?? "aspire"],
        Restart = "always",
    };
}
