namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>What happens around the life of a container.</summary>
public sealed class LifecycleV1
{
    public LifecycleHandlerV1 PreStop { get; set; } = null!;
}
