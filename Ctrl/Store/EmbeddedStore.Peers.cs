using System.Globalization;

namespace NanoAspire.Ctrl.Store;

internal sealed partial class EmbeddedStore
{
    private readonly Dictionary<(string Scope, string Agent), HeldAgent> _agents = [];
    private readonly Dictionary<(string Scope, string Agent), DateTimeOffset> _orphans = [];
    private readonly Dictionary<string, long> _nameCounters = [];
    private readonly Dictionary<(string Scope, string Agent), TopologySpec> _specs = [];
    private readonly Dictionary<(string Scope, string Agent), HashSet<string>> _links = [];
    private readonly Dictionary<(string Scope, string Agent), LinkedList<MailboxEntry>> _mailboxes = [];
    private readonly Dictionary<(string Scope, string Agent), LinkedList<string>> _inboxes = [];
    private readonly Dictionary<(string Scope, string Agent), Dictionary<string, string>> _regions = [];
    private readonly Dictionary<(string Scope, string Agent), (string Json, DateTimeOffset Expires)> _reports = [];
    private (long Milliseconds, long Sequence) _lastMail;

    public Task<string?> StartAgentAsync(string scope, string? alias, string namePrefix, AgentRecord agent, CancellationToken ct)
    {
        lock (_gate)
        {
            bool Free(string name) => !_agents.TryGetValue((scope, name), out var held) || held.Expires <= Now || (agent.Instance is not null && held.Record.Instance == agent.Instance);
            EnsureRoom(_records.Count + _agents.Count, MaxRecords);
            var name = alias;
            if (name is null)
            {
                do
                {
                    var number = _nameCounters[scope] = _nameCounters.GetValueOrDefault(scope) + 1;
                    name = string.Create(CultureInfo.InvariantCulture, $"{namePrefix}-{number:x}");
                }
                while (!Free(name));
            }
            else if (!Free(name)) return Task.FromResult<string?>(null);
            _agents[(scope, name)] = new HeldAgent(agent with { Name = name }, Now + IRegistryStore.Lease);
            return Task.FromResult<string?>(name);
        }
    }

    public Task<IReadOnlyList<AgentRecord>> ListAgentsAsync(string scope, CancellationToken ct)
    {
        lock (_gate)
        {
            var now = Now;
            return Task.FromResult<IReadOnlyList<AgentRecord>>([.. _agents.Where(a => a.Key.Scope == scope && a.Value.Expires > now).Select(a => a.Value.Record)]);
        }
    }

    public Task CleanupAgentAsync(string scope, string name, CancellationToken ct)
    {
        lock (_gate)
        {
            Cleanup(scope, name);
            return Task.CompletedTask;
        }
    }

    public Task SetTopologyAsync(string scope, string agent, TopologySpec spec, CancellationToken ct)
    {
        lock (_gate)
        {
            EnsureRoom(_specs.Count + _mailboxes.Count + _links.Count, MaxEntries);
            _specs[(scope, agent)] = spec;
            foreach (var target in spec.TargetPeers)
            {
                Post(scope, agent, ConnectPeer(target));
                Link(scope, agent, target);
                Link(scope, target, agent);
            }
            if (!spec.Symmetric) return Task.CompletedTask;
            foreach (var target in spec.TargetPeers)
            {
                var peers = _specs.TryGetValue((scope, target), out var held) ? held.TargetPeers : [];
                _specs[(scope, target)] = new TopologySpec(peers.Contains(agent) ? peers : [.. peers, agent], MinBw: null, Symmetric: false);
                Post(scope, target, ConnectPeer(agent));
            }
            return Task.CompletedTask;
        }
    }

    public Task<IReadOnlyList<string>?> GetTopologyAsync(string scope, string agent, CancellationToken ct)
    {
        lock (_gate) return Task.FromResult(_specs.TryGetValue((scope, agent), out var spec) ? spec.TargetPeers : null);
    }

    public Task PostMailAsync(string scope, string agent, IReadOnlyList<KeyValuePair<string, string>> fields, CancellationToken ct)
    {
        lock (_gate)
        {
            EnsureRoom(_mailboxes.Count, MaxEntries);
            Post(scope, agent, fields);
            return Task.CompletedTask;
        }
    }

    public Task<IReadOnlyList<MailboxEntry>> ReadMailAsync(string scope, string agent, string after, int count, CancellationToken ct)
    {
        lock (_gate)
        {
            if (!_mailboxes.TryGetValue((scope, agent), out var mailbox)) return Task.FromResult<IReadOnlyList<MailboxEntry>>([]);
            var start = MailId(after);
            return Task.FromResult<IReadOnlyList<MailboxEntry>>([.. mailbox.Where(e => MailId(e.Id).CompareTo(start) > 0).Take(count)]);
        }
    }

    public Task<IReadOnlyList<string>> TakeNoticesAsync(string scope, string agent, CancellationToken ct)
    {
        lock (_gate) return Task.FromResult<IReadOnlyList<string>>(_inboxes.Remove((scope, agent), out var notices) ? [.. notices] : []);
    }

    public Task SetMemoryRegionAsync(string scope, string agent, string region, string json, CancellationToken ct)
    {
        lock (_gate)
        {
            if (!_regions.TryGetValue((scope, agent), out var regions)) _regions[(scope, agent)] = regions = [];
            EnsureRoom(Math.Max(_regions.Count, regions.Count), MaxEntries / 8);
            regions[region] = json;
            return Task.CompletedTask;
        }
    }

    public Task<string?> GetMemoryRegionAsync(string scope, string agent, string region, CancellationToken ct)
    {
        lock (_gate) return Task.FromResult(_regions.TryGetValue((scope, agent), out var regions) ? regions.GetValueOrDefault(region) : null);
    }

    public Task<bool> SetReportAsync(string scope, string agent, string json, TimeSpan lifetime, CancellationToken ct)
    {
        lock (_gate)
        {
            if (!_agents.TryGetValue((scope, agent), out var held) || held.Expires <= Now) return Task.FromResult(false);
            if (!_reports.ContainsKey((scope, agent))) EnsureRoom(_reports.Count, MaxReports);
            _reports[(scope, agent)] = (json, Now + lifetime);
            return Task.FromResult(true);
        }
    }

    public Task<IReadOnlyList<string>> ListReportsAsync(string scope, CancellationToken ct)
    {
        lock (_gate)
        {
            var now = Now;
            return Task.FromResult<IReadOnlyList<string>>([.. _reports.Where(r => r.Key.Scope == scope && r.Value.Expires > now).Select(static r => r.Value.Json)]);
        }
    }

    private bool RenewAgent(string scope, string name)
    {
        if (!_agents.TryGetValue((scope, name), out var held) || held.Expires <= Now) return false;
        held.Expires = Now + IRegistryStore.Lease;
        _orphans[(scope, name)] = held.Expires + RedisStore.OrphanGrace;
        return true;
    }

    private int SweepAgents(DateTimeOffset now)
    {
        var lapsed = _agents.Where(a => a.Value.Expires <= now).Select(a => a.Key).ToArray();
        foreach (var key in lapsed) _agents.Remove(key);
        foreach (var key in _reports.Where(r => r.Value.Expires <= now).Select(static r => r.Key).ToArray()) _reports.Remove(key);
        var gone = _orphans.Where(o => o.Value <= now).Select(o => o.Key).ToArray();
        foreach (var key in gone)
        {
            if (_agents.ContainsKey(key)) _orphans[key] = now + RedisStore.OrphanGrace;
            else Cleanup(key.Scope, key.Agent);
        }
        return lapsed.Length;
    }

    private void Cleanup(string scope, string name)
    {
        var key = (scope, name);
        var peers = new HashSet<string>(StringComparer.Ordinal);
        if (_links.Remove(key, out var linked)) peers.UnionWith(linked);
        if (_specs.Remove(key, out var spec)) peers.UnionWith(spec.TargetPeers);
        foreach (var (owner, held) in _specs)
            if (owner.Scope == scope && held.TargetPeers.Contains(name)) peers.Add(owner.Agent);
        peers.Remove(name);
        _agents.Remove(key);
        _orphans.Remove(key);
        _mailboxes.Remove(key);
        _inboxes.Remove(key);
        _regions.Remove(key);
        foreach (var peer in peers)
        {
            if (_links.TryGetValue((scope, peer), out var back)) back.Remove(name);
            if (!_inboxes.TryGetValue((scope, peer), out var inbox)) _inboxes[(scope, peer)] = inbox = [];
            inbox.AddFirst(TopologyJson.CleanupNotice(name));
            if (inbox.Count > IPeerStore.InboxLimit) inbox.RemoveLast();
        }
    }

    private void Link(string scope, string a, string b)
    {
        if (!_links.TryGetValue((scope, a), out var linked)) _links[(scope, a)] = linked = [];
        linked.Add(b);
    }

    private static KeyValuePair<string, string>[] ConnectPeer(string peer) => [new("type", "connect_peer"), new("peer", peer)];

    /// <summary>Stamps and appends; ids are ordered as Redis orders them.</summary>
    private void Post(string scope, string agent, IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        var now = Now;
        var milliseconds = now.ToUnixTimeMilliseconds();
        _lastMail = milliseconds > _lastMail.Milliseconds ? (milliseconds, 0) : (_lastMail.Milliseconds, _lastMail.Sequence + 1);
        var timestamp = (milliseconds / 1000.0).ToString("F6", CultureInfo.InvariantCulture);
        if (!_mailboxes.TryGetValue((scope, agent), out var mailbox)) _mailboxes[(scope, agent)] = mailbox = [];
        var id = string.Create(CultureInfo.InvariantCulture, $"{_lastMail.Milliseconds}-{_lastMail.Sequence}");
        mailbox.AddLast(new MailboxEntry(id, [new("timestamp", timestamp), .. fields]));
        if (mailbox.Count > IPeerStore.MailboxLimit) mailbox.RemoveFirst();
    }

    private static (long Milliseconds, long Sequence) MailId(string id)
    {
        var dash = id.IndexOf('-');
        return (long.Parse(id.AsSpan(0, dash), CultureInfo.InvariantCulture), long.Parse(id.AsSpan(dash + 1), CultureInfo.InvariantCulture));
    }

    private sealed class HeldAgent(AgentRecord record, DateTimeOffset expires)
    {
        public AgentRecord Record => record;
        public DateTimeOffset Expires { get; set; } = expires;
    }
}
