using YamlDotNet.Serialization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>An address in front of pods.</summary>
public sealed class ServiceSpecV1
{
    public string Type { get; set; } = null!;
    [YamlMember(Alias = "clusterIP")]
    public string? ClusterIp { get; set; }
    public bool? PublishNotReadyAddresses { get; set; }
    public Dictionary<string, string> Selector { get; set; } = [];
    public List<ServicePortV1> Ports { get; } = [];
}
