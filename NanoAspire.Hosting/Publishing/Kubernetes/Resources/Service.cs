namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>An address in front of pods.</summary>
public sealed class Service() : BaseKubernetesResource("v1", "Service")
{
    public ServiceSpecV1 Spec { get; set; } = new();
}
