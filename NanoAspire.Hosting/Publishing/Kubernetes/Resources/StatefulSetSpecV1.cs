namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Pods with names of their own.</summary>
public sealed class StatefulSetSpecV1
{
    /// <summary>The headless service that gives each pod its DNS name.</summary>
    public string ServiceName { get; set; } = null!;
    public PodTemplateSpecV1 Template { get; set; } = new();
    public LabelSelectorV1 Selector { get; set; } = new();
    public int? Replicas { get; set; }
    public string? PodManagementPolicy { get; set; }
    public int? RevisionHistoryLimit { get; set; }
    public StatefulSetUpdateStrategyV1 UpdateStrategy { get; set; } = null!;
    public List<PersistentVolumeClaim> VolumeClaimTemplates { get; } = [];
}
