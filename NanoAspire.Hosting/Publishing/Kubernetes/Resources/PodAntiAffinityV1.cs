namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Pods that must not share a topology domain with this one.</summary>
public sealed class PodAntiAffinityV1
{
    public List<PodAffinityTermV1> RequiredDuringSchedulingIgnoredDuringExecution { get; } = [];
}
