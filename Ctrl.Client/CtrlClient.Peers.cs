using System.Text.Json;
using System.Text.Json.Nodes;

namespace NanoAspire.Ctrl.Client;

public sealed partial class CtrlClient
{
    /// <summary>Registers a peer agent under a lease; renew it with <see cref="HeartbeatAsync"/> and type <c>agent</c>.</summary>
    /// <param name="agent">What to register.</param>
    /// <param name="instance">Names this process, so that it may start the same alias again after a lost reply (ignored by original servers).</param>
    /// <param name="ct">Ends the call.</param>
    /// <exception cref="CtrlException">Status 409: the alias belongs to another agent.</exception>
    public async Task<StartedPeerAgent> StartPeerAgentAsync(PeerAgentInfo agent, string? instance, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(agent);
        var body = new JsonObject { ["address"] = agent.Address };
        if (agent.Name is not null) body["alias"] = agent.Name;
        if (agent.Device is not null) body["device"] = agent.Device;
        if (agent.IbPort is not null) body["ib_port"] = agent.IbPort;
        if (agent.LinkType is not null) body["link_type"] = agent.LinkType;
        if (agent.Resource is not null) body["resource"] = agent.Resource.DeepClone();
        if (instance is not null) body["instance"] = instance;
        var reply = await PostAsync("start_peer_agent", body, ct);
        return EntityInfo.Text(reply, "name") is { } name
            ? new StartedPeerAgent(name, EntityInfo.Text(reply, "redis_address") ?? "")
            : throw new CtrlException("/start_peer_agent: the reply has no name", status: 200);
    }

    public async Task<IReadOnlyList<PeerAgentInfo>> QueryPeersAsync(CancellationToken ct)
    {
        var reply = await PostAsync("query", [], ct);
        if (reply.ValueKind != JsonValueKind.Array) throw new CtrlException("/query: the reply is not a list", status: 200);
        return [.. reply.EnumerateArray().Select(TryReadAgent).OfType<PeerAgentInfo>()];
    }

    /// <summary>Removes the agent and what it left behind, and tells the peers it was connected to.</summary>
    public Task CleanupPeerAsync(string agent, CancellationToken ct) => PostAsync("cleanup", new JsonObject { ["agent_name"] = agent }, ct);

    /// <summary>Replaces the connections that the agent wants.</summary>
    public Task SetDesiredTopologyAsync(string agent, IEnumerable<string> targets, string? minBandwidth, bool symmetric, CancellationToken ct)
    {
        var body = new JsonObject { ["target_peers"] = new JsonArray([.. targets.Select(t => JsonValue.Create(t))]) };
        if (minBandwidth is not null) body["min_bw"] = minBandwidth;
        if (symmetric) body["symmetric"] = true;
        return PostAsync($"v1/desired_topology/{Uri.EscapeDataString(agent)}", body, ct);
    }

    /// <summary>What the agent is wanted to be connected to, by itself or by others (services of this build only).</summary>
    /// <returns>Null when nothing was declared.</returns>
    public async Task<IReadOnlyList<string>?> ReadTopologyAsync(string agent, CancellationToken ct)
    {
        var reply = await PostAsync("v1/read_topology", new JsonObject { ["agent_name"] = agent }, ct);
        return reply.ValueKind == JsonValueKind.Object && reply.TryGetProperty("target_peers", out var peers) && peers.ValueKind == JsonValueKind.Null
            ? null
            : Read("v1/read_topology", () => Array(reply, "target_peers").Select(p => p.GetString() ?? throw new FormatException("a target is null")).ToArray());
    }

    public Task RegisterMemoryRegionAsync(string agent, string region, MemoryRegionInfo info, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(info);
        return PostAsync("register_mr", new JsonObject
        {
            ["agent_name"] = agent, ["mr_name"] = region, ["addr"] = info.Address, ["length"] = info.Length, ["rkey"] = info.RemoteKey, ["lkey"] = info.LocalKey,
        }, ct);
    }

    /// <returns>Null when the owner has not published the region.</returns>
    public async Task<MemoryRegionInfo?> FindMemoryRegionAsync(string asker, string owner, string region, CancellationToken ct)
    {
        var reply = await PostAsync("get_mr_info", new JsonObject { ["src"] = asker, ["dst"] = owner, ["mr_name"] = region }, ct);
        return Read("get_mr_info", () => !reply.TryGetProperty("mr_info", out var info) || info.ValueKind != JsonValueKind.Object
            ? null
            : new MemoryRegionInfo(info.GetProperty("addr").GetUInt64(), info.GetProperty("length").GetUInt64(), info.GetProperty("rkey").GetUInt32(), info.GetProperty("lkey").GetUInt32()));
    }

    /// <summary>Posts to a peer's mailbox (services of this build only).</summary>
    public Task PostMailAsync(string to, string from, string type, IReadOnlyDictionary<string, string> fields, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var more = new JsonObject();
        foreach (var (name, value) in fields) more[name] = value;
        return PostAsync("v1/post_mail", new JsonObject { ["agent_name"] = to, ["peer"] = from, ["type"] = type, ["fields"] = more }, ct);
    }

    /// <summary>Reads an agent's mailbox (services of this build only).</summary>
    /// <param name="agent">Owner of the mailbox.</param>
    /// <param name="after">Id of the last entry seen; <c>0-0</c> at first.</param>
    /// <param name="ct">Ends the call.</param>
    public async Task<IReadOnlyList<PeerMail>> ReadMailAsync(string agent, string after, CancellationToken ct)
    {
        var reply = await PostAsync("v1/read_mail", new JsonObject { ["agent_name"] = agent, ["after"] = after }, ct);
        return Read("v1/read_mail", () => Array(reply, "entries")
            .Select(entry => new PeerMail(entry.GetProperty("id").GetString()!, entry.GetProperty("fields").EnumerateObject().ToDictionary(f => f.Name, f => f.Value.GetString()!))).ToArray());
    }

    /// <summary>Takes the notices of peers that were cleaned up (services of this build only).</summary>
    /// <returns>Names of the peers, newest first.</returns>
    public async Task<IReadOnlyList<string>> TakeNoticesAsync(string agent, CancellationToken ct) =>
        [.. Array(await PostAsync("v1/take_notices", new JsonObject { ["agent_name"] = agent }, ct), "notices").Select(n => EntityInfo.Text(n, "peer")).OfType<string>()];

    /// <summary>Leaves what an agent says of itself for people to read, in place of what it said before (services of this build only).</summary>
    /// <param name="agent">Who reports.</param>
    /// <param name="report">The record of the wire contract.</param>
    /// <param name="lifetime">How long it is kept.</param>
    /// <param name="ct">Ends the call.</param>
    /// <returns>False when the agent is not registered.</returns>
    public async Task<bool> ReportPeerAsync(string agent, JsonObject report, TimeSpan lifetime, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(report);
        var reply = await PostAsync("v1/report_peer", new JsonObject { ["agent_name"] = agent, ["ttl_ms"] = (long)lifetime.TotalMilliseconds, ["report"] = report.DeepClone() }, ct);
        return EntityInfo.Text(reply, "status") == "ok";
    }

    /// <summary>Reports of agents, also of some that have ended (services of this build only).</summary>
    public async Task<IReadOnlyList<JsonElement>> ListPeerReportsAsync(CancellationToken ct) => Array(await PostAsync("v1/peer_reports", [], ct), "reports");

    /// <summary>Null when it is not an agent of the wire contract. Anyone may register anything: nothing in it may throw later.</summary>
    private static PeerAgentInfo? TryReadAgent(JsonElement agent)
    {
        try
        {
            if (agent.ValueKind != JsonValueKind.Object) return null;
            return new PeerAgentInfo
            {
                Name = EntityInfo.Text(agent, "name"),
                Address = EntityInfo.Text(agent, "address") ?? "",
                Device = EntityInfo.Text(agent, "device"),
                IbPort = agent.TryGetProperty("ib_port", out var port) && port.ValueKind == JsonValueKind.Number && port.TryGetUInt32(out var number) ? number : null,
                LinkType = EntityInfo.Text(agent, "link_type"),
                Resource = EntityInfo.Node(agent, "resource"),
                MemoryKeys = agent.TryGetProperty("memory_keys", out var keys) && keys.ValueKind == JsonValueKind.Array ? [.. keys.EnumerateArray().Select(k => k.GetString()!)] : [],
            };
        }
        catch (JsonException) { return null; }                               // a name given twice, deep down
        catch (InvalidOperationException) { return null; }                   // text that is not Unicode, a key that is not text
    }

    private static T Read<T>(string path, Func<T> read)
    {
        try { return read(); }
        catch (Exception e) when (e is InvalidOperationException or FormatException or KeyNotFoundException or ArgumentException)
        {
            throw new CtrlException($"/{path}: the reply is malformed: {e.Message}", status: 200, e);
        }
    }
}
