using System.Globalization;
using System.Text.Json;
using StackExchange.Redis;

namespace NanoAspire.Ctrl.Store;

internal sealed partial class RedisStore
{
    private const int MailboxTtlSeconds = 24 * 3600;
    private const int InboxTtlSeconds = 24 * 3600;
    private const int LinksTtlSeconds = 7 * 24 * 3600;
    private const int ScanCount = 512;

    public async Task<string?> StartAgentAsync(string scope, string? alias, string namePrefix, AgentRecord agent, CancellationToken ct)
    {
        var keys = new RedisKeys(scope);
        var args = new List<RedisValue>
        {
            keys.Prefix, alias ?? "", namePrefix, Milliseconds(_lease), keys.Member(Names.Agent, ""), agent.Instance ?? "",
            "addr", agent.Address, "memory_keys", "[]",
        };
        if (agent.Device is not null) args.AddRange(["device", agent.Device]);
        if (agent.IbPort is { } port) args.AddRange(["ib_port", port.ToString(CultureInfo.InvariantCulture)]);
        if (agent.LinkType is not null) args.AddRange(["link_type", agent.LinkType]);
        if (agent.Resource is not null) args.AddRange(["resource", agent.Resource, "topology", agent.Resource]);
        if (agent.Instance is not null) args.AddRange(["instance", agent.Instance]);
        return (string?)await _redis.RunAsync(RedisScript.StartAgent, [keys.NameCounter, keys.Index(Names.Agent), RedisKeys.Leases], [.. args], ct);
    }

    public async Task<IReadOnlyList<AgentRecord>> ListAgentsAsync(string scope, CancellationToken ct)
    {
        var keys = new RedisKeys(scope);
        var names = await _redis.RunAsync(db => db.SetMembersAsync(keys.Index(Names.Agent)), ct);
        var agents = new List<AgentRecord>(names.Length);
        foreach (var chunk in names.Chunk(ReadChunk))
        {
            var reads = chunk.Select(name => _redis.RunAsync(db => db.HashGetAllAsync(keys.Agent(name!)), ct)).ToArray();
            for (var i = 0; i < reads.Length; i++)
            {
                if (ToAgent(chunk[i]!, await reads[i]) is { } agent) agents.Add(agent);
            }
        }
        return agents;
    }

    public async Task CleanupAgentAsync(string scope, string name, CancellationToken ct)
    {
        var keys = new RedisKeys(scope);
        var peers = new HashSet<string>(StringComparer.Ordinal);
        foreach (var linked in await _redis.RunAsync(db => db.SetMembersAsync(keys.Links(name)), ct)) peers.Add(linked!);
        if (await ReadTextAsync(keys.Spec(name), ct) is { } spec) peers.UnionWith(TopologyJson.Targets(spec));
        foreach (var key in await ScanAsync(keys.SpecPrefix, ct))
        {
            if (await ReadTextAsync(key, ct) is { } text && TopologyJson.Targets(text).Contains(name)) peers.Add(key[keys.SpecPrefix.Length..]);
        }
        peers.Remove(name);

        var known = (await _redis.RunAsync(db => db.SetMembersAsync(keys.Index(Names.Agent)), ct)).Select(n => (string)n!).Append(name).ToHashSet(StringComparer.Ordinal);
        var owners = new LeftoverOwner(known);
        var doomed = new List<RedisKey> { keys.Agent(name), keys.Index(Names.Agent), RedisKeys.Leases, RedisKeys.Orphans, keys.Links(name), keys.Spec(name), keys.Stream(name), keys.Inbox(name) };
        if (scope.Length == 0) doomed.Add(":inbox:" + name);
        foreach (var key in await ScanAsync(keys.ExchangePrefix, ct))
        {
            if (owners.OwnsExchange(name, key[keys.ExchangePrefix.Length..])) doomed.Add(key);
        }
        foreach (var key in await ScanAsync(keys.RegionPrefix(name), ct))
        {
            if (owners.OwnsRegion(name, key[(keys.Prefix.Length + 3)..])) doomed.Add(key);
        }
        RedisValue[] args =
        [
            keys.Member(Names.Agent, name), name, keys.Prefix, TopologyJson.CleanupNotice(name), IPeerStore.InboxLimit, InboxTtlSeconds,
            scope.Length == 0 ? 1 : 0, .. peers.Select(peer => (RedisValue)peer),
        ];
        await _redis.RunAsync(RedisScript.CleanupAgent, [.. doomed], args, ct);
    }

    public async Task SetTopologyAsync(string scope, string agent, TopologySpec spec, CancellationToken ct)
    {
        var keys = new RedisKeys(scope);
        RedisValue[] args =
        [
            keys.Prefix, agent, TopologyJson.Render(spec, scope), spec.Symmetric ? 1 : 0, TopologyJson.ScopeJson(scope), IPeerStore.MailboxLimit, MailboxTtlSeconds,
            LinksTtlSeconds, .. spec.TargetPeers.Select(peer => (RedisValue)peer),
        ];
        await _redis.RunAsync(RedisScript.SetTopology, [keys.Spec(agent)], args, ct);
    }

    public async Task<IReadOnlyList<string>?> GetTopologyAsync(string scope, string agent, CancellationToken ct) =>
        await ReadTextAsync(new RedisKeys(scope).Spec(agent), ct) is { } spec ? TopologyJson.Targets(spec) : null;

    public async Task PostMailAsync(string scope, string agent, IReadOnlyList<KeyValuePair<string, string>> fields, CancellationToken ct)
    {
        var args = new List<RedisValue> { IPeerStore.MailboxLimit, MailboxTtlSeconds };
        foreach (var (field, value) in fields) args.AddRange([field, value]);
        await _redis.RunAsync(RedisScript.PostMail, [new RedisKeys(scope).Stream(agent)], [.. args], ct);
    }

    public async Task<IReadOnlyList<MailboxEntry>> ReadMailAsync(string scope, string agent, string after, int count, CancellationToken ct)
    {
        RedisKey key = new RedisKeys(scope).Stream(agent);
        var entries = (RedisResult[]?)await _redis.RunAsync(db => db.ExecuteAsync("XRANGE", key, "(" + after, "+", "COUNT", count), ct) ?? [];
        return [.. entries.Select(ToEntry)];
    }

    public async Task<IReadOnlyList<string>> TakeNoticesAsync(string scope, string agent, CancellationToken ct) =>
        (string[]?)await _redis.RunAsync(RedisScript.TakeNotices, [new RedisKeys(scope).Inbox(agent)], [], ct) ?? [];

    public Task SetMemoryRegionAsync(string scope, string agent, string region, string json, CancellationToken ct)
    {
        RedisKey key = new RedisKeys(scope).Region(agent, region);
        return _redis.RunAsync(db => db.StringSetAsync(key, json), ct);
    }

    public Task<string?> GetMemoryRegionAsync(string scope, string agent, string region, CancellationToken ct) =>
        ReadTextAsync(new RedisKeys(scope).Region(agent, region), ct);

    public async Task<bool> SetReportAsync(string scope, string agent, string json, TimeSpan lifetime, CancellationToken ct)
    {
        var keys = new RedisKeys(scope);
        RedisKey owner = keys.Agent(agent), key = keys.Report(agent);
        if (!await _redis.RunAsync(db => db.KeyExistsAsync(owner), ct)) return false;
        await _redis.RunAsync(db => db.StringSetAsync(key, json, lifetime), ct);
        return true;
    }

    /// <summary>By SCAN: agents may write their reports into Redis themselves, and only people ask for all of them.</summary>
    public async Task<IReadOnlyList<string>> ListReportsAsync(string scope, CancellationToken ct)
    {
        var reports = new List<string>();
        foreach (var chunk in (await ScanAsync(new RedisKeys(scope).ReportPrefix, ct)).Chunk(ReadChunk))
        {
            var values = await _redis.RunAsync(db => db.StringGetAsync([.. chunk.Select(static k => (RedisKey)k)]), ct);
            reports.AddRange(values.Where(static v => !v.IsNull).Select(static v => (string)v!));
        }
        return reports;
    }

    private static MailboxEntry ToEntry(RedisResult entry)
    {
        var parts = (RedisResult[])entry!;
        var flat = (string[])parts[1]!;
        var fields = new KeyValuePair<string, string>[flat.Length / 2];
        for (var i = 0; i < fields.Length; i++) fields[i] = new(flat[2 * i], flat[2 * i + 1]);
        return new MailboxEntry((string)parts[0]!, fields);
    }

    /// <summary>Null for a hash without an address: not a registration.</summary>
    private static AgentRecord? ToAgent(string name, HashEntry[] hash)
    {
        string? Field(string field) => hash.FirstOrDefault(entry => entry.Name == field) is { Value: { IsNull: false } value } ? (string?)value : null;
        if (Field("addr") is not { } address) return null;
        using var keys = Json.TryParse(Field("memory_keys"));
        using var resource = Json.TryParse(Field("resource"));
        return new AgentRecord
        {
            Name = name,
            Address = address,
            Device = Field("device"),
            IbPort = uint.TryParse(Field("ib_port"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null,
            LinkType = Field("link_type"),
            Resource = resource?.RootElement.GetRawText(),
            MemoryKeys = keys?.RootElement is { ValueKind: JsonValueKind.Array } array
                ? [.. array.EnumerateArray().Where(k => k.ValueKind == JsonValueKind.String).Select(k => k.GetString()!)]
                : [],
        };
    }

    private async Task<string?> ReadTextAsync(RedisKey key, CancellationToken ct)
    {
        try { return await _redis.RunAsync(db => db.StringGetAsync(key), ct); }
        catch (StoreCommandException) { return null; }
    }

    /// <summary>Keys with the prefix, by SCAN: needed only for what agents write into Redis themselves.</summary>
    private async Task<IReadOnlyList<string>> ScanAsync(string prefix, CancellationToken ct)
    {
        var pattern = RedisKeys.EscapeGlob(prefix) + "*";
        var found = new HashSet<string>(StringComparer.Ordinal);
        var cursor = "0";
        do
        {
            var page = (RedisResult[])(await _redis.RunAsync(db => db.ExecuteAsync("SCAN", cursor, "MATCH", pattern, "COUNT", ScanCount), ct))!;
            cursor = (string)page[0]!;
            foreach (var key in (string[])page[1]!) found.Add(key);
        }
        while (cursor != "0");
        return [.. found];
    }
}
