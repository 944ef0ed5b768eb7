namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>How evenly pods spread over a topology.</summary>
public sealed class TopologySpreadConstraintV1
{
    public string? TopologyKey { get; set; }
    public int? MaxSkew { get; set; }
    public string? WhenUnsatisfiable { get; set; }
    public LabelSelectorV1 LabelSelector { get; set; } = null!;
}
