namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A folder or device of the node.</summary>
public sealed class HostPathVolumeSourceV1
{
    public string Path { get; set; } = null!;
    public string Type { get; set; } = null!;
}
