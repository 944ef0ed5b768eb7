using YamlDotNet.Serialization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>An object of the Kubernetes API. Properties are written in the order of declaration, these before those of the kind.</summary>
public abstract class BaseKubernetesResource(string apiVersion, string kind)
{
    [YamlMember(Alias = "apiVersion", Order = -3)]
    public string? ApiVersion { get; set; } = apiVersion;

    [YamlMember(Alias = "kind", Order = -2)]
    public string? Kind { get; set; } = kind;

    [YamlMember(Alias = "metadata", Order = -1)]
    public ObjectMetaV1 Metadata { get; set; } = new();
}
