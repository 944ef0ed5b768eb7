namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A field of the pod itself.</summary>
public sealed class ObjectFieldSelectorV1
{
    public string FieldPath { get; set; } = null!;
    public string ApiVersion { get; set; } = null!;
}
