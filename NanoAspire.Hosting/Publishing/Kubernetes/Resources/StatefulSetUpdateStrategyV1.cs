namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>How new pods replace old ones.</summary>
public sealed class StatefulSetUpdateStrategyV1
{
    public string Type { get; set; } = null!;
}
