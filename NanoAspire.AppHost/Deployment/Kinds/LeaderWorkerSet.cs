using Aspire.Hosting.Kubernetes.Resources;
using YamlDotNet.Serialization;

namespace NanoAspire.AppHost.Deployment.Kinds;

/// <summary>Groups of pods that are made, placed and restarted together: one group is one engine (kubernetes-sigs/lws).</summary>
internal sealed class LeaderWorkerSet() : Workload("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet")
{
    [YamlMember(Alias = "spec")]
    public LeaderWorkerSetSpec Spec { get; set; } = new();

    [YamlIgnore]
    public override PodTemplateSpecV1 PodTemplate => Spec.LeaderWorkerTemplate.WorkerTemplate;
}

internal sealed class LeaderWorkerSetSpec
{
    [YamlMember(Alias = "replicas")]
    public int Replicas { get; set; } = 1;

    [YamlMember(Alias = "startupPolicy")]
    public string StartupPolicy { get; set; } = "LeaderCreated";

    [YamlMember(Alias = "leaderWorkerTemplate")]
    public LeaderWorkerTemplate LeaderWorkerTemplate { get; set; } = new();
}

internal sealed class LeaderWorkerTemplate
{
    /// <summary>Pods of a group: the leader and its workers.</summary>
    [YamlMember(Alias = "size")]
    public int Size { get; set; } = 1;

    [YamlMember(Alias = "restartPolicy")]
    public string RestartPolicy { get; set; } = "RecreateGroupOnPodRestart";

    /// <summary>Without one the leader is like the workers.</summary>
    [YamlMember(Alias = "leaderTemplate")]
    public PodTemplateSpecV1? LeaderTemplate { get; set; }

    [YamlMember(Alias = "workerTemplate")]
    public PodTemplateSpecV1 WorkerTemplate { get; set; } = new();
}
