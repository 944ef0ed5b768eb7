namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>What a container may use, and what is kept for it.</summary>
public sealed class ResourceRequirementsV1
{
    public Dictionary<string, string> Limits { get; } = [];
    public Dictionary<string, string> Requests { get; } = [];
}
