namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Pods, and the label of the domain that they would share.</summary>
public sealed class PodAffinityTermV1
{
    public LabelSelectorV1 LabelSelector { get; set; } = null!;
    public string TopologyKey { get; set; } = null!;
}
