using System.Globalization;
using System.Text.Json.Nodes;
using NanoAspire.Ctrl.Client;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>How an agent is reached, as it stands in the <c>transfer</c> member of its resource record.</summary>
/// <param name="Alias">Its name.</param>
/// <param name="Peer">Address and incarnation of its transport.</param>
/// <param name="Transport">Name of the transport.</param>
/// <param name="Hello">The region that every peer may read to see whom it reached.</param>
/// <param name="Instance">Tells two agents of one process apart.</param>
internal sealed record PeerRecord(string Alias, TransferPeer Peer, string Transport, RegionId Hello, string Instance)
{
    private const int Version = 1;

    public JsonObject ToResource(string host, IReadOnlyList<NetworkCard> nics, DateTimeOffset now) => new()
    {
        ["schema_version"] = 1,
        ["host"] = new JsonObject { ["hostname"] = host, ["address"] = host },
        ["nics"] = new JsonArray([.. nics.Select(static n => n.ToResource())]),
        ["accelerators"] = new JsonArray(),
        ["memory_keys"] = new JsonArray(),
        ["topology_epoch"] = now.ToUnixTimeSeconds(),
        ["transfer"] = new JsonObject
        {
            ["version"] = Version,
            ["transport"] = Transport,
            ["address"] = Peer.Address,
            ["incarnation"] = Peer.Incarnation.ToString("x16", CultureInfo.InvariantCulture),
            ["hello"] = Hello.ToString(),
            ["instance"] = Instance,
        },
    };

    /// <summary>Null for agents of other builds: they have other ways to connect.</summary>
    public static PeerRecord? TryRead(PeerAgentInfo agent)
    {
        if (agent.Name is null || (agent.Resource as JsonObject)?["transfer"] is not JsonObject transfer) return null;
        if (transfer["version"] is not JsonValue version || !version.TryGetValue<int>(out var number) || number != Version) return null;
        return Text("address") is { Length: > 0 } address && Text("transport") is { } transport && Text("instance") is { } instance
            && ulong.TryParse(Text("incarnation"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var incarnation)
            && RegionId.TryParse(Text("hello"), out var hello)
            ? new(agent.Name, new(address, incarnation), transport, hello, instance)
            : null;

        string? Text(string name) => transfer[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
    }
}
