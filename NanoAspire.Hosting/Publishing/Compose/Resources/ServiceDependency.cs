namespace Aspire.Hosting.Docker.Resources.ServiceNodes;

/// <summary>What a service waits for.</summary>
public sealed class ServiceDependency
{
    public string? Condition { get; set; }
}
