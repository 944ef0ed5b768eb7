namespace NanoAspire.Ctrl.Store;

/// <summary>
/// State in this process, for a machine without Redis. Same behaviour, one replica: clients come back by themselves after a restart,
/// because their next heartbeat is answered with <c>not_found</c>. Every member takes the one lock; nothing inside it waits.
/// </summary>
internal sealed partial class EmbeddedStore(TimeProvider time) : ICtrlStore
{
    /// <summary>Records and agents of all scopes together; registrations beyond it are refused.</summary>
    public const int MaxRecords = 200_000;
    /// <summary>Specs, regions, mailboxes, inboxes, counters: each kind is bounded by this.</summary>
    public const int MaxEntries = 400_000;

    /// <summary>Reports of agents: the largest of what is kept, a few KiB each.</summary>
    public const int MaxReports = 10_000;

    private readonly Lock _gate = new();
    private readonly ChangeHub _hub = new();
    private readonly Dictionary<RecordKey, Held> _records = [];
    private readonly Dictionary<(string Scope, string Type), long> _revisions = [];

    public string Description => "embedded store (state is lost on restart; give --redis-url for a shared one)";

    public RedisAddress? Redis => null;

    public Task PingAsync(CancellationToken ct) => Task.CompletedTask;

    public Task<long?> RegisterAsync(string scope, RegistryRecord record, CancellationToken ct)
    {
        lock (_gate)
        {
            var key = new RecordKey(scope, record.Type, record.Id);
            if (!_records.ContainsKey(key)) EnsureRoom(_records.Count + _agents.Count, MaxRecords);
            _records[key] = new Held(record, Now + IRegistryStore.Lease);
            return Task.FromResult<long?>(Move(scope, record.Type));
        }
    }

    public Task<bool> RenewAsync(string scope, string type, string id, string? leaseId, CancellationToken ct)
    {
        lock (_gate)
        {
            if (type == Names.Agent) return Task.FromResult(RenewAgent(scope, id));
            if (!TryGetLive(new RecordKey(scope, type, id), leaseId, out var held)) return Task.FromResult(false);
            held.Expires = Now + IRegistryStore.Lease;
            return Task.FromResult(true);
        }
    }

    public Task<bool> UnregisterAsync(string scope, string type, string id, string? leaseId, CancellationToken ct)
    {
        lock (_gate)
        {
            var key = new RecordKey(scope, type, id);
            if (!TryGetLive(key, leaseId, out _)) return Task.FromResult(false);
            _records.Remove(key);
            Move(scope, type);
            return Task.FromResult(true);
        }
    }

    public Task<string?> FindAsync(string scope, string type, string id, CancellationToken ct)
    {
        lock (_gate) return Task.FromResult(TryGetLive(new RecordKey(scope, type, id), leaseId: null, out var held) ? held.Record.Info : null);
    }

    public Task<IReadOnlyList<string>> ListAsync(string scope, string? type, string? kind, CancellationToken ct)
    {
        lock (_gate)
        {
            var now = Now;
            return Task.FromResult<IReadOnlyList<string>>([.. _records
                .Where(r => r.Key.Scope == scope && (type is null || r.Key.Type == type) && (kind is null || r.Value.Record.Kind == kind) && r.Value.Expires > now)
                .Select(r => r.Value.Record.Info)]);
        }
    }

    public Task<long> RevisionAsync(string scope, string type, CancellationToken ct)
    {
        lock (_gate) return Task.FromResult(_revisions.GetValueOrDefault((scope, type)));
    }

    public IChangeSubscription Subscribe(string scope, string type) => _hub.Subscribe(scope, type);

    public Task<int> AdoptAsync(CancellationToken ct) => Task.FromResult(0);

    public Task<int> SweepAsync(CancellationToken ct)
    {
        lock (_gate)
        {
            var now = Now;
            var lapsed = _records.Where(r => r.Value.Expires <= now).Select(r => r.Key).ToArray();
            foreach (var key in lapsed)
            {
                _records.Remove(key);
                Move(key.Scope, key.Type);
            }
            return Task.FromResult(lapsed.Length + SweepAgents(now));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private DateTimeOffset Now => time.GetUtcNow();

    private bool TryGetLive(RecordKey key, string? leaseId, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Held? held) =>
        _records.TryGetValue(key, out held) && held.Expires > Now && (leaseId is null || held.Record.LeaseId is null || held.Record.LeaseId == leaseId);

    private long Move(string scope, string type)
    {
        var key = (scope, type);
        if (!_revisions.ContainsKey(key)) EnsureRoom(_revisions.Count, MaxEntries);
        var revision = _revisions[key] = _revisions.GetValueOrDefault(key) + 1;
        _hub.Notify(scope, type);
        return revision;
    }

    private static void EnsureRoom(int count, int limit)
    {
        if (count >= limit) throw new StoreFullException($"the embedded store holds its limit of {limit} entries");
    }

    private readonly record struct RecordKey(string Scope, string Type, string Id);

    private sealed class Held(RegistryRecord record, DateTimeOffset expires)
    {
        public RegistryRecord Record => record;
        public DateTimeOffset Expires { get; set; } = expires;
    }
}
