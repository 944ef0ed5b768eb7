using Aspire.Hosting.Kubernetes;
using NanoAspire.Hosting.Publishing;

namespace Aspire.Hosting;

/// <summary>Changes what a resource becomes in Kubernetes.</summary>
public static class KubernetesServiceExtensions
{
    /// <summary>Called with the objects as they would be written. Without effect in a run.</summary>
    public static IResourceBuilder<T> PublishAsKubernetesService<T>(this IResourceBuilder<T> builder, Action<KubernetesResource> configure) where T : IComputeResource
    {
        ArgumentNullException.ThrowIfNull(configure);
        if (builder.ApplicationBuilder.ExecutionContext.IsRunMode) return builder;
        ComputeEnvironments.Require<KubernetesEnvironmentResource>(builder.ApplicationBuilder, builder.Resource, nameof(PublishAsKubernetesService), "AddKubernetesEnvironment");
        return builder.WithAnnotation(new KubernetesServiceCustomizationAnnotation(configure));
    }
}
