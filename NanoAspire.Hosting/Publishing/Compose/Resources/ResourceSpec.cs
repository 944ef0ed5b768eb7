namespace Aspire.Hosting.Docker.Resources.ServiceNodes.Swarm;

/// <summary>Amounts.</summary>
public sealed class ResourceSpec
{
    public string? Cpus { get; set; }
    public string? Memory { get; set; }
    public List<DeviceReservation> Devices { get; set; } = [];
}
