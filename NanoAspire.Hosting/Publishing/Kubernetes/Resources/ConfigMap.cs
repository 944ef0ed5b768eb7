namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Configuration as text.</summary>
public sealed class ConfigMap() : BaseKubernetesResource("v1", "ConfigMap")
{
    public Dictionary<string, string> Data { get; } = [];
}
