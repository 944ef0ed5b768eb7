namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A folder that lives with the pod.</summary>
public sealed class EmptyDirVolumeSourceV1
{
    public string? Medium { get; set; }
    public string? SizeLimit { get; set; }
}
