namespace Aspire.Hosting.Docker.Resources.ServiceNodes.Swarm;

/// <summary>What a service may use, and what is kept for it.</summary>
public sealed class Resources
{
    public ResourceSpec? Limits { get; set; }
    public ResourceSpec? Reservations { get; set; }
}
