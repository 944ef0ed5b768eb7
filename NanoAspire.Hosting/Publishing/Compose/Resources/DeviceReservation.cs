namespace Aspire.Hosting.Docker.Resources.ServiceNodes.Swarm;

/// <summary>Devices of one driver, by number or by id.</summary>
public sealed class DeviceReservation
{
    public string? Driver { get; set; }
    public int? Count { get; set; }
    public List<string> DeviceIds { get; set; } = [];
    public List<string> Capabilities { get; set; } = [];
}
