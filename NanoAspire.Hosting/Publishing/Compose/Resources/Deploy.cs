namespace Aspire.Hosting.Docker.Resources.ServiceNodes.Swarm;

/// <summary>How many, and with what.</summary>
public sealed class Deploy
{
    public int? Replicas { get; set; }
    public Resources? Resources { get; set; }
}
