namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>An object of the same namespace, by name.</summary>
public sealed class LocalObjectReferenceV1
{
    public string Name { get; set; } = null!;
}
