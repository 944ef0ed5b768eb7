using System.Globalization;
using StackExchange.Redis;

namespace NanoAspire.Ctrl.Store;

/// <summary>
/// State in Redis, none in this process: any number of replicas may share one server. Changes are scripts, so each is whole or not at
/// all. A single Redis (or a primary with replicas) is assumed: the scripts touch keys of more than one hash slot.
/// </summary>
internal sealed partial class RedisStore : ICtrlStore
{
    /// <summary>How long an agent that used to renew may be away before what it left behind is removed.</summary>
    public static readonly TimeSpan OrphanGrace = TimeSpan.FromMinutes(5);
    private const int ReadChunk = 512;
    private const int SweepChunk = 256;
    private const int MaxSweepChunks = 64;

    private readonly RedisConnection _redis;
    private readonly RedisSubscriptions _subscriptions;
    private readonly TimeSpan _lease;

    private RedisStore(RedisConnection redis, RedisAddress address, TimeSpan lease, ILogger logger)
    {
        (_redis, Redis, _lease) = (redis, address, lease);
        _subscriptions = new RedisSubscriptions(redis, logger);
    }

    public string Description => $"Redis at {Redis.Display}";

    public RedisAddress Redis { get; }

    /// <exception cref="StoreUnavailableException">Redis did not answer.</exception>
    public static async Task<RedisStore> ConnectAsync(RedisAddress address, TimeSpan lease, TimeSpan timeout, TimeProvider time, ILogger logger, CancellationToken ct) =>
        new(await RedisConnection.ConnectAsync(address, timeout, time, logger, ct), address, lease, logger);

    public Task PingAsync(CancellationToken ct) => _redis.RunAsync(db => db.ExecuteAsync("PING"), ct);

    public async Task<long?> RegisterAsync(string scope, RegistryRecord record, CancellationToken ct)
    {
        var keys = new RedisKeys(scope);
        var args = new List<RedisValue>(10 + 2 * record.Fields.Count)
        {
            keys.Channel(record.Type), Milliseconds(_lease), keys.Member(record.Type, record.Id), record.Type, record.Id,
            record.EventSubject, record.EventPayload, record.LeaseId ?? "",
        };
        foreach (var (field, value) in record.Fields) args.AddRange([field, value]);
        args.AddRange(["info", record.Info]);
        var revision = (long)await _redis.RunAsync(RedisScript.Register,
            [keys.Record(record.Type, record.Id), keys.Revision(record.Type), keys.Index(record.Type), keys.Types, RedisKeys.Leases], [.. args], ct);
        return revision < 0 ? null : revision;
    }

    public async Task<bool> RenewAsync(string scope, string type, string id, string? leaseId, CancellationToken ct)
    {
        var keys = new RedisKeys(scope);
        return 1 == (long)await _redis.RunAsync(RedisScript.Renew,
            [keys.Record(type, id), keys.Index(type), keys.Types, RedisKeys.Leases, RedisKeys.Orphans],
            [Milliseconds(_lease), keys.Member(type, id), type, id, leaseId ?? "", Milliseconds(OrphanGrace)], ct);
    }

    public async Task<bool> UnregisterAsync(string scope, string type, string id, string? leaseId, CancellationToken ct)
    {
        var keys = new RedisKeys(scope);
        return 1 == (long)await _redis.RunAsync(RedisScript.Unregister,
            [keys.Record(type, id), keys.Revision(type), keys.Index(type), RedisKeys.Leases],
            [keys.Channel(type), keys.Member(type, id), type, id, RegistryEvents.RemoveSubject(type, id), leaseId ?? ""], ct);
    }

    public async Task<string?> FindAsync(string scope, string type, string id, CancellationToken ct)
    {
        RedisKey key = new RedisKeys(scope).Record(type, id);
        var held = await _redis.RunAsync(db => db.HashGetAsync(key, RecordFields), ct);
        return Belongs(held, type, id) && Json.IsObject(held[0]) ? (string?)held[0] : null;
    }

    public async Task<IReadOnlyList<string>> ListAsync(string scope, string? type, string? kind, CancellationToken ct)
    {
        var keys = new RedisKeys(scope);
        var types = type is null ? (await _redis.RunAsync(db => db.SetMembersAsync(keys.Types), ct)).Select(t => (string)t!) : [type];
        var infos = new List<string>();
        foreach (var each in types)
        {
            var ids = await _redis.RunAsync(db => db.SetMembersAsync(keys.Index(each)), ct);
            var reads = ids.Chunk(ReadChunk).Select(chunk => _redis.RunAsync(RedisScript.ReadRecords, [], [keys.Prefix, each, kind is null ? 0 : 1, kind ?? "", .. chunk], ct));
            foreach (var read in await Task.WhenAll(reads)) infos.AddRange(((RedisValue[])read!).Where(Json.IsObject).Select(info => (string)info!));
        }
        return infos;
    }

    public async Task<long> RevisionAsync(string scope, string type, CancellationToken ct)
    {
        RedisKey key = new RedisKeys(scope).Revision(type);
        var value = await _redis.RunAsync(db => db.StringGetAsync(key), ct);
        return long.TryParse((string?)value, NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : 0;
    }

    public IChangeSubscription Subscribe(string scope, string type) => _subscriptions.Hub.Subscribe(scope, type);

    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var lapsed = 0;
        for (var chunk = 0; chunk < MaxSweepChunks; chunk++)
        {
            var due = await DueAsync(RedisKeys.Leases, ct);
            lapsed += (await Task.WhenAll(due.Select(member => ExpireAsync(member, ct)))).Sum();
            if (due.Length < SweepChunk) break;
        }
        foreach (var member in await DueAsync(RedisKeys.Orphans, ct))
        {
            var (keys, _, agent) = RedisKeys.ParseMember(member);
            if (await _redis.RunAsync(db => db.KeyExistsAsync(keys.Agent(agent)), ct))
            {
                await _redis.RunAsync(db => db.SortedSetIncrementAsync(RedisKeys.Orphans, member, OrphanGrace.TotalMilliseconds), ct);
                continue;
            }
            await CleanupAgentAsync(keys.Scope, agent, ct);
            lapsed++;
        }
        return lapsed;
    }

    private async Task<int> ExpireAsync(string member, CancellationToken ct)
    {
        var (keys, type, id) = RedisKeys.ParseMember(member);
        return (int)await _redis.RunAsync(RedisScript.Expire,
            [keys.Record(type, id), keys.Revision(type), keys.Index(type), RedisKeys.Leases],
            [keys.Channel(type), member, type, id, RegistryEvents.RemoveSubject(type, id), Milliseconds(_lease)], ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _subscriptions.DisposeAsync();
        await _redis.DisposeAsync();
    }

    private static readonly RedisValue[] RecordFields = ["info", "entity_type", "entity_id", "id"];

    /// <summary>Two scopes can spell one key; the record itself says whose it is.</summary>
    private static bool Belongs(RedisValue[] held, string type, string id) =>
        (held[1].IsNull ? Names.Engine : (string?)held[1]) == type && (string?)(held[2].IsNull ? held[3] : held[2]) == id;

    private async Task<string[]> DueAsync(string leases, CancellationToken ct) =>
        (string[]?)await _redis.RunAsync(RedisScript.Due, [leases], [SweepChunk], ct) ?? [];

    private static long Milliseconds(TimeSpan span) => (long)span.TotalMilliseconds;
}
