using System.Text.Json.Nodes;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>An RDMA card, as the system describes it.</summary>
/// <param name="Name">E.g. <c>mlx5_0</c>.</param>
/// <param name="PciBusId">E.g. <c>0000:81:00.0</c>; empty when it is not on a PCI bus.</param>
/// <param name="NumaNode">−1 when unknown.</param>
/// <param name="Ports">By number.</param>
public sealed record NetworkCard(string Name, string PciBusId, int NumaNode, IReadOnlyList<NetworkPort> Ports)
{
    /// <summary><c>AVAILABLE</c> when a port is active, else <c>DEGRADED</c>.</summary>
    public string Health => Ports.Any(static p => p.State == NetworkPort.Active) ? "AVAILABLE" : "DEGRADED";

    /// <summary>The first port that can be used; null when there is none.</summary>
    public NetworkPort? UsablePort => Ports.FirstOrDefault(static p => p.State is NetworkPort.Active or NetworkPort.Unknown && p.LinkType != NetworkPort.Unknown);

    /// <summary>As it stands in the <c>nics</c> of a resource record.</summary>
    internal JsonObject ToResource() => new()
    {
        ["name"] = Name,
        ["health"] = Health,
        ["numa_node"] = NumaNode,
        ["pci_bus_id"] = PciBusId,
        ["ports"] = new JsonArray([.. Ports.Select(static p => new JsonObject { ["port"] = p.Number, ["state"] = p.State, ["link_type"] = p.LinkType })]),
    };
}
