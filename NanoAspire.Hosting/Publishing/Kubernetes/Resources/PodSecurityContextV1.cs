namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>What all containers of a pod may do.</summary>
public sealed class PodSecurityContextV1
{
    public bool? RunAsNonRoot { get; set; }
    public long? RunAsUser { get; set; }
    public long? RunAsGroup { get; set; }
    public long? FsGroup { get; set; }
    public SeccompProfileV1? SeccompProfile { get; set; }
}
