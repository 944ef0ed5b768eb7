#pragma warning disable ASPIREPIPELINES001 // the resource itself is not experimental
using Aspire.Hosting.Pipelines;
using NanoAspire.Hosting.Publishing.Kubernetes;

namespace Aspire.Hosting.Kubernetes;

/// <summary>A Kubernetes cluster that the application is published for, as a Helm chart.</summary>
public sealed class KubernetesEnvironmentResource : Resource, IComputeEnvironmentResource
{
    public KubernetesEnvironmentResource(string name) : base(name) =>
        Annotations.Add(new PipelineStepAnnotation(_ => new PipelineStep
        {
            Name = $"publish-{name}",
            Description = $"Writes the Helm chart of {name}.",
            RequiredBySteps = [WellKnownPipelineSteps.Publish],
            DependsOnSteps = [WellKnownPipelineSteps.PublishPrereq],
            Resource = this,
            Action = context => HelmChartPublisher.RunAsync(this, context),
        }));

    /// <summary>The chart's name: lower case letters, digits and hyphens. Without it the application's.</summary>
    public string HelmChartName { get; set; } = "";
    public string HelmChartVersion { get; set; } = "0.1.0";
    public string HelmChartDescription { get; set; } = "Aspire Helm Chart";

    /// <summary>What named volumes become: <c>emptyDir</c>, <c>hostpath</c> or <c>pvc</c>.</summary>
    public string DefaultStorageType { get; set; } = "emptyDir";
    public string? DefaultStorageClassName { get; set; }
    public string DefaultStorageSize { get; set; } = "1Gi";
    public string DefaultStorageReadWritePolicy { get; set; } = "ReadWriteOnce";
    public string DefaultImagePullPolicy { get; set; } = "IfNotPresent";
    public string DefaultServiceType { get; set; } = "ClusterIP";
}
