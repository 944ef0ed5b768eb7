namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A device claim that a pod uses.</summary>
public sealed class PodResourceClaimV1
{
    public string Name { get; set; } = null!;
    public string ResourceClaimName { get; set; } = null!;
    public string ResourceClaimTemplateName { get; set; } = null!;
}
