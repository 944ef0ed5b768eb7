namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Configuration that is not shown.</summary>
public sealed class Secret() : BaseKubernetesResource("v1", "Secret")
{
    public Dictionary<string, string> StringData { get; } = [];
    public string Type { get; set; } = null!;
}
