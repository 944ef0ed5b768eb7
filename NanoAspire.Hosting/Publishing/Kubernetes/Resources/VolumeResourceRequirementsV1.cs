namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>How much storage.</summary>
public sealed class VolumeResourceRequirementsV1
{
    public Dictionary<string, string> Requests { get; } = [];
    public Dictionary<string, string> Limits { get; } = [];
}
