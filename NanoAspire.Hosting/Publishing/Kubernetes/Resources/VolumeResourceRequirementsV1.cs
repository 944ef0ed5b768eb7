namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>How much storage.</summary>
public sealed class VolumeResourceRequirementsV1
{
    public Dictionary<string, string> Requests { get; set; } = [];
    public Dictionary<string, string> Limits { get; set; } = [];
}
