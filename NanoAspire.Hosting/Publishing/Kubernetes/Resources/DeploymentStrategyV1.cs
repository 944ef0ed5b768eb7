namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>How new pods replace old ones.</summary>
public sealed class DeploymentStrategyV1
{
    public RollingUpdateDeploymentV1 RollingUpdate { get; set; } = null!;
    public string Type { get; set; } = null!;
}
