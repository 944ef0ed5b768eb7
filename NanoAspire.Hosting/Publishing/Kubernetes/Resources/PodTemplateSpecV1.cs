namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>What the pods of a workload look like.</summary>
public sealed class PodTemplateSpecV1
{
    public ObjectMetaV1 Metadata { get; set; } = new();
    public PodSpecV1 Spec { get; set; } = new();
}
