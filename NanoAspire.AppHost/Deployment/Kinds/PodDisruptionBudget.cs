using Aspire.Hosting.Kubernetes.Resources;
using YamlDotNet.Serialization;

namespace NanoAspire.AppHost.Deployment.Kinds;

/// <summary>How many pods of a role a drained node may take away at a time.</summary>
internal sealed class PodDisruptionBudget() : BaseKubernetesResource("policy/v1", "PodDisruptionBudget")
{
    [YamlMember(Alias = "spec")]
    public PodDisruptionBudgetSpec Spec { get; set; } = new();
}

internal sealed class PodDisruptionBudgetSpec
{
    [YamlMember(Alias = "maxUnavailable")]
    public int MaxUnavailable { get; set; } = 1;

    [YamlMember(Alias = "selector")]
    public LabelSelectorV1 Selector { get; set; } = new();
}
