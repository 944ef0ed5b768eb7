using Aspire.Hosting.Docker;
using Aspire.Hosting.Docker.Resources.ComposeNodes;
using NanoAspire.Hosting.Publishing;
using NanoAspire.Hosting.Publishing.Compose;

namespace Aspire.Hosting;

/// <summary>Changes what a resource becomes in Docker Compose.</summary>
public static class DockerComposeServiceExtensions
{
    /// <summary>Called with the service as it would be written. Without effect in a run.</summary>
    public static IResourceBuilder<T> PublishAsDockerComposeService<T>(this IResourceBuilder<T> builder, Action<DockerComposeServiceResource, Service> configure)
        where T : IComputeResource
    {
        ArgumentNullException.ThrowIfNull(configure);
        if (builder.ApplicationBuilder.ExecutionContext.IsRunMode) return builder;
        ComputeEnvironments.Require<DockerComposeEnvironmentResource>(builder.ApplicationBuilder, builder.Resource, nameof(PublishAsDockerComposeService), "AddDockerComposeEnvironment");
        return builder.WithAnnotation(new DockerComposeServiceCustomizationAnnotation(configure));
    }

    /// <summary>The parameter as <c>${NAME}</c>, with a line of its own in <c>.env</c>.</summary>
    public static string AsEnvironmentPlaceholder(this IResourceBuilder<ParameterResource> builder, DockerComposeServiceResource dockerComposeService) =>
        new ComposeTranslator(dockerComposeService.Parent.Variables).Translate(builder.Resource);

    /// <inheritdoc cref="AsEnvironmentPlaceholder(IResourceBuilder{ParameterResource}, DockerComposeServiceResource)"/>
    public static string AsEnvironmentPlaceholder(this IManifestExpressionProvider manifestExpressionProvider, DockerComposeServiceResource dockerComposeService) =>
        new ComposeTranslator(dockerComposeService.Parent.Variables).Translate(manifestExpressionProvider);
}
