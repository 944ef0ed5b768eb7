namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A claim, by name.</summary>
public sealed class PersistentVolumeClaimVolumeSourceV1
{
    public string ClaimName { get; set; } = null!;
    public bool? ReadOnly { get; set; }
}
