namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>What a container may do.</summary>
public sealed class SecurityContextV1
{
    public bool? AllowPrivilegeEscalation { get; set; }
    public bool? Privileged { get; set; }
    public bool? ReadOnlyRootFilesystem { get; set; }
    public bool? RunAsNonRoot { get; set; }
    public long? RunAsUser { get; set; }
    public long? RunAsGroup { get; set; }
    public CapabilitiesV1? Capabilities { get; set; }
    public SeccompProfileV1? SeccompProfile { get; set; }
}
