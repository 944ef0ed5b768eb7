namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Which pods a pod wants near it, or far away.</summary>
public sealed class AffinityV1
{
    public PodAntiAffinityV1 PodAntiAffinity { get; set; } = null!;
}
