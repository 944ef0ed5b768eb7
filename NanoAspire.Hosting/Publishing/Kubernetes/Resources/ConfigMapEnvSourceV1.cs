namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A config map, by name.</summary>
public sealed class ConfigMapEnvSourceV1
{
    public string Name { get; set; } = null!;
    public bool? Optional { get; set; }
}
