using Aspire.Hosting.Kubernetes.Resources;
using YamlDotNet.Serialization;

namespace NanoAspire.AppHost.Deployment.Kinds;

/// <summary>Scales a workload on a metric (KEDA, which makes the HorizontalPodAutoscaler).</summary>
internal sealed class ScaledObject() : BaseKubernetesResource("keda.sh/v1alpha1", "ScaledObject")
{
    [YamlMember(Alias = "spec")]
    public ScaledObjectSpec Spec { get; set; } = new();
}

internal sealed class ScaledObjectSpec
{
    [YamlMember(Alias = "scaleTargetRef")]
    public ScaleTarget ScaleTargetRef { get; set; } = new();

    [YamlMember(Alias = "minReplicaCount")]
    public int MinReplicaCount { get; set; }

    [YamlMember(Alias = "maxReplicaCount")]
    public int MaxReplicaCount { get; set; }

    /// <summary>Seconds without load before it scales in: loading a model again is dear.</summary>
    [YamlMember(Alias = "cooldownPeriod")]
    public int CooldownPeriod { get; set; }

    [YamlMember(Alias = "triggers")]
    public List<ScaleTrigger> Triggers { get; set; } = [];
}

internal sealed class ScaleTarget
{
    [YamlMember(Alias = "apiVersion")]
    public string ApiVersion { get; set; } = "";

    [YamlMember(Alias = "kind")]
    public string Kind { get; set; } = "";

    [YamlMember(Alias = "name")]
    public string Name { get; set; } = "";
}

internal sealed class ScaleTrigger
{
    [YamlMember(Alias = "type")]
    public string Type { get; set; } = "";

    [YamlMember(Alias = "metadata")]
    public Dictionary<string, string> Metadata { get; set; } = [];
}
