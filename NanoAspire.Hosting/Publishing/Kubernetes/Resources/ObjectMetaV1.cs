namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>The identity of an object.</summary>
public sealed class ObjectMetaV1
{
    public string Name { get; set; } = null!;
    public string Namespace { get; set; } = null!;
    public Dictionary<string, string> Labels { get; set; } = [];
    public Dictionary<string, string> Annotations { get; } = [];
}
