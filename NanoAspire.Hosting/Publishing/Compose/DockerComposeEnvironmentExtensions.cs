using Aspire.Hosting.Docker;
using Aspire.Hosting.Docker.Resources;
using NanoAspire.Hosting.Publishing;
using NanoAspire.Hosting.Publishing.Compose;

namespace Aspire.Hosting;

/// <summary>Publishes the application for Docker Compose.</summary>
public static class DockerComposeEnvironmentExtensions
{
    /// <summary>Adds a machine to publish for; in a run it is not part of the model.</summary>
    public static IResourceBuilder<DockerComposeEnvironmentResource> AddDockerComposeEnvironment(this IDistributedApplicationBuilder builder, string name)
    {
        var resource = new DockerComposeEnvironmentResource(name);
        resource.Dashboard = ComposeDashboard.AddTo(builder, resource);
        if (builder.ExecutionContext.IsRunMode) return builder.CreateResourceBuilder(resource);
        ComputeEnvironments.Assign(builder, resource, compute => new DockerComposeServiceResource($"{compute.Name}-{name}", compute, resource));
        return builder.AddResource(resource);
    }

    public static IResourceBuilder<DockerComposeEnvironmentResource> WithProperties(this IResourceBuilder<DockerComposeEnvironmentResource> builder,
        Action<DockerComposeEnvironmentResource> configure)
    {
        configure(builder.Resource);
        return builder;
    }

    /// <summary>Adds the standalone dashboard as a service, and points the services' telemetry at it.</summary>
    public static IResourceBuilder<DockerComposeEnvironmentResource> WithDashboard(this IResourceBuilder<DockerComposeEnvironmentResource> builder, bool enabled = true) =>
        builder.WithProperties(environment => environment.DashboardEnabled = enabled);

    /// <summary>Adds the standalone dashboard as a service, changed by the callback.</summary>
    /// <exception cref="InvalidOperationException">The environment was not made by <see cref="AddDockerComposeEnvironment"/>.</exception>
    public static IResourceBuilder<DockerComposeEnvironmentResource> WithDashboard(this IResourceBuilder<DockerComposeEnvironmentResource> builder,
        Action<IResourceBuilder<DockerComposeAspireDashboardResource>> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        configure(builder.Resource.Dashboard ?? throw new InvalidOperationException($"Environment '{builder.Resource.Name}' has no dashboard to configure."));
        return builder.WithDashboard();
    }

    /// <summary>Called with the whole file before it is written.</summary>
    public static IResourceBuilder<DockerComposeEnvironmentResource> ConfigureComposeFile(this IResourceBuilder<DockerComposeEnvironmentResource> builder,
        Action<ComposeFile> configure) => builder.WithProperties(environment => environment.FileCallbacks.Add(configure));

    /// <summary>Called with the variables before <c>.env</c> is written.</summary>
    public static IResourceBuilder<DockerComposeEnvironmentResource> ConfigureEnvFile(this IResourceBuilder<DockerComposeEnvironmentResource> builder,
        Action<IDictionary<string, CapturedEnvironmentVariable>> configure) => builder.WithProperties(environment => environment.EnvFileCallbacks.Add(configure));
}
