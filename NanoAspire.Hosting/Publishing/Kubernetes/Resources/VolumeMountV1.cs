namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Where a volume appears in a container.</summary>
public sealed class VolumeMountV1
{
    public string Name { get; set; } = null!;
    public string MountPath { get; set; } = null!;
    public bool? ReadOnly { get; set; }
    public string SubPath { get; set; } = null!;
}
