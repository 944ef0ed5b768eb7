namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>How many pods a rollout touches at a time.</summary>
public sealed class RollingUpdateDeploymentV1
{
    public int MaxSurge { get; set; }
    public int MaxUnavailable { get; set; }
}
