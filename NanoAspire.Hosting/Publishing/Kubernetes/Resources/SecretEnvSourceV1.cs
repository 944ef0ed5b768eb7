namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A secret, by name.</summary>
public sealed class SecretEnvSourceV1
{
    public string Name { get; set; } = null!;
    public bool? Optional { get; set; }
}
