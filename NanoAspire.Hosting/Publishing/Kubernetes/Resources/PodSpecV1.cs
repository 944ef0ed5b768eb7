using YamlDotNet.Serialization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A pod. Lists are filled, not replaced.</summary>
public sealed class PodSpecV1
{
    public string? RestartPolicy { get; set; }
    public List<ContainerV1> InitContainers { get; } = [];
    public List<ContainerV1> Containers { get; } = [];
    public List<VolumeV1> Volumes { get; } = [];
    public Dictionary<string, string> NodeSelector { get; } = [];
    public List<TolerationV1> Tolerations { get; } = [];
    public AffinityV1? Affinity { get; set; }
    public List<TopologySpreadConstraintV1> TopologySpreadConstraints { get; } = [];
    public PodSecurityContextV1? SecurityContext { get; set; }
    public List<LocalObjectReferenceV1> ImagePullSecrets { get; } = [];
    public List<PodResourceClaimV1> ResourceClaims { get; } = [];
    public string? ServiceAccountName { get; set; }
    public string? PriorityClassName { get; set; }
    public string? RuntimeClassName { get; set; }
    public bool? HostNetwork { get; set; }
    [YamlMember(Alias = "hostIPC")]
    public bool? HostIpc { get; set; }
    [YamlMember(Alias = "hostPID")]
    public bool? HostPid { get; set; }
    public string? DnsPolicy { get; set; }
    public long? TerminationGracePeriodSeconds { get; set; }
}
