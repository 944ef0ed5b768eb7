namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>What storage is asked for.</summary>
public sealed class PersistentVolumeClaimSpecV1
{
    public List<string> AccessModes { get; } = [];
    public VolumeResourceRequirementsV1 Resources { get; set; } = null!;
    public string StorageClassName { get; set; } = null!;
}
