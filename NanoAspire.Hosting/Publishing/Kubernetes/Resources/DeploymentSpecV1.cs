namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Interchangeable pods.</summary>
public sealed class DeploymentSpecV1
{
    public PodTemplateSpecV1 Template { get; set; } = new();
    public LabelSelectorV1 Selector { get; set; } = new();
    public int? Replicas { get; set; }
    public int? RevisionHistoryLimit { get; set; }
    public DeploymentStrategyV1 Strategy { get; set; } = null!;
}
