using System.Text.Json.Nodes;

namespace NanoAspire.Ctrl.Client;

/// <summary>A peer agent, as it is started and as it is listed.</summary>
public sealed record PeerAgentInfo
{
    /// <summary>Alias; null when starting means that the control plane chooses one.</summary>
    public string? Name { get; init; }
    /// <summary>The agent's own address.</summary>
    public required string Address { get; init; }
    public string? Device { get; init; }
    public uint? IbPort { get; init; }
    public string? LinkType { get; init; }
    /// <summary>Topology record: host, network cards, accelerators.</summary>
    public JsonNode? Resource { get; init; }
    /// <summary>Names of the memory regions it published.</summary>
    public IReadOnlyList<string> MemoryKeys { get; init; } = [];
}

/// <param name="Name">Alias under which the agent is known now.</param>
/// <param name="RedisAddress">host:port of the Redis that holds the mailboxes; empty when the control plane has none.</param>
public sealed record StartedPeerAgent(string Name, string RedisAddress);

/// <summary>Memory that a peer may read or write.</summary>
/// <param name="Address">Virtual address at its owner.</param>
/// <param name="Length">Bytes.</param>
/// <param name="RemoteKey">Key that a remote access names.</param>
/// <param name="LocalKey">Key at its owner.</param>
public sealed record MemoryRegionInfo(ulong Address, ulong Length, uint RemoteKey, uint LocalKey = 0);

/// <param name="Id">Position: give it as <c>after</c> to read on.</param>
/// <param name="Fields"><c>type</c>, <c>peer</c>, <c>timestamp</c> and what the sender added.</param>
public sealed record PeerMail(string Id, IReadOnlyDictionary<string, string> Fields);
