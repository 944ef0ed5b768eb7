using Aspire.Hosting.Kubernetes;
using NanoAspire.Hosting.Publishing;

namespace Aspire.Hosting;

/// <summary>Publishes the application for Kubernetes.</summary>
public static class KubernetesEnvironmentExtensions
{
    /// <summary>Adds a cluster to publish for; in a run it is not part of the model.</summary>
    public static IResourceBuilder<KubernetesEnvironmentResource> AddKubernetesEnvironment(this IDistributedApplicationBuilder builder, string name)
    {
        var resource = new KubernetesEnvironmentResource(name) { HelmChartName = ChartName(builder.Environment.ApplicationName) };
        if (builder.ExecutionContext.IsRunMode) return builder.CreateResourceBuilder(resource);
        ComputeEnvironments.Assign(builder, resource, compute => new KubernetesResource($"{compute.Name}-{name}", compute, resource));
        return builder.AddResource(resource);
    }

    public static IResourceBuilder<KubernetesEnvironmentResource> WithProperties(this IResourceBuilder<KubernetesEnvironmentResource> builder,
        Action<KubernetesEnvironmentResource> configure)
    {
        configure(builder.Resource);
        return builder;
    }

    private static string ChartName(string application) => application.ToLowerInvariant().Replace('_', '-').Replace('.', '-');
}
