namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Something that containers of a pod can mount.</summary>
public sealed class VolumeV1
{
    public string Name { get; set; } = null!;
    public EmptyDirVolumeSourceV1? EmptyDir { get; set; }
    public HostPathVolumeSourceV1? HostPath { get; set; }
    public PersistentVolumeClaimVolumeSourceV1? PersistentVolumeClaim { get; set; }
}
