namespace NanoAspire.Ctrl.Store;

/// <summary>Peer agents, the connections wanted between them, their mailboxes and memory regions.</summary>
internal interface IPeerStore
{
    /// <summary>Entries a mailbox keeps; older ones are dropped.</summary>
    const int MailboxLimit = 1000;
    /// <summary>Notices an inbox keeps.</summary>
    const int InboxLimit = 100;

    /// <summary>Creates an agent under <paramref name="alias"/> or a generated name. Null when the alias is taken.</summary>
    Task<string?> StartAgentAsync(string scope, string? alias, string namePrefix, AgentRecord agent, CancellationToken ct);

    Task<IReadOnlyList<AgentRecord>> ListAgentsAsync(string scope, CancellationToken ct);

    /// <summary>Removes an agent with everything it left behind and tells the peers connected to it. Unknown agents are fine.</summary>
    Task CleanupAgentAsync(string scope, string name, CancellationToken ct);

    /// <summary>Replaces the agent's wish list and posts a <c>connect_peer</c> entry for each target.</summary>
    Task SetTopologyAsync(string scope, string agent, TopologySpec spec, CancellationToken ct);

    /// <summary>Targets that the agent's wish list names now; null when it has none.</summary>
    Task<IReadOnlyList<string>?> GetTopologyAsync(string scope, string agent, CancellationToken ct);

    Task PostMailAsync(string scope, string agent, IReadOnlyList<KeyValuePair<string, string>> fields, CancellationToken ct);

    /// <summary>Entries after <paramref name="after"/> (an entry id, or <c>0-0</c>), oldest first.</summary>
    Task<IReadOnlyList<MailboxEntry>> ReadMailAsync(string scope, string agent, string after, int count, CancellationToken ct);

    /// <summary>Takes the notices of peers that were cleaned up, newest first.</summary>
    Task<IReadOnlyList<string>> TakeNoticesAsync(string scope, string agent, CancellationToken ct);

    Task SetMemoryRegionAsync(string scope, string agent, string region, string json, CancellationToken ct);

    Task<string?> GetMemoryRegionAsync(string scope, string agent, string region, CancellationToken ct);

    /// <summary>Keeps what an agent reports of itself (JSON) in place of what it reported before. False when there is no such agent.</summary>
    Task<bool> SetReportAsync(string scope, string agent, string json, TimeSpan lifetime, CancellationToken ct);

    /// <summary>Reports whose lifetime is not over, in no particular order; those of agents that have ended are among them.</summary>
    Task<IReadOnlyList<string>> ListReportsAsync(string scope, CancellationToken ct);
}

/// <summary>A peer agent as the control plane keeps it.</summary>
internal sealed record AgentRecord
{
    /// <summary>Empty until the store has chosen one.</summary>
    public string Name { get; init; } = "";
    public required string Address { get; init; }
    public string? Device { get; init; }
    public uint? IbPort { get; init; }
    public string? LinkType { get; init; }
    /// <summary>JSON text, or null.</summary>
    public string? Resource { get; init; }
    public IReadOnlyList<string> MemoryKeys { get; init; } = [];
    /// <summary>Lets the same process start its agent again after a lost reply.</summary>
    public string? Instance { get; init; }
}

/// <summary>What an agent wants to be connected to.</summary>
internal sealed record TopologySpec(IReadOnlyList<string> TargetPeers, string? MinBw, bool Symmetric);

internal sealed record MailboxEntry(string Id, IReadOnlyList<KeyValuePair<string, string>> Fields);
