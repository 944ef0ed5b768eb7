using StackExchange.Redis;

namespace NanoAspire.Ctrl.Store;

internal sealed partial class RedisStore
{
    private static readonly RedisValue[] AdoptionFields = ["entity_type", "entity_id", "id", "info", "addr"];

    /// <summary>Once, at the start: the originals keep no index, so their records are found by SCAN. Later ones come in with their next heartbeat.</summary>
    public async Task<int> AdoptAsync(CancellationToken ct)
    {
        var adopted = 0;
        var cursor = "0";
        do
        {
            var page = (RedisResult[])(await _redis.RunAsync(db => db.ExecuteAsync("SCAN", cursor, "COUNT", ScanCount, "TYPE", "hash"), ct))!;
            cursor = (string)page[0]!;
            foreach (var key in (string[])page[1]!)
            {
                var held = await _redis.RunAsync(db => db.HashGetAsync(key, AdoptionFields), ct);
                if (Identify(key, held) is not { } record) continue;
                var keys = new RedisKeys(record.Scope);
                adopted += (int)await _redis.RunAsync(RedisScript.Adopt, [key, keys.Index(record.Type), keys.Types, RedisKeys.Leases],
                    [keys.Member(record.Type, record.Id), record.Type, record.Id, Milliseconds(_lease)], ct);
            }
        }
        while (cursor != "0");
        return adopted;
    }

    /// <summary>Scope, type and id by the record's own fields; null for a hash that is no record or bears a name we do not allow.</summary>
    internal static (string Scope, string Type, string Id)? Identify(string key, RedisValue[] held)
    {
        string? type, id;
        if (!held[3].IsNull) (type, id) = held[0].IsNull ? (Names.Engine, (string?)held[2]) : ((string?)held[0], (string?)held[1]);
        else if (!held[4].IsNull && AgentNameAt(key) is { } at) (type, id) = (Names.Agent, key[at..]);
        else return null;
        if (type is null || id is null || !key.EndsWith($"{type}:{id}", StringComparison.Ordinal)) return null;
        var scope = key[..^(type.Length + id.Length + 1)];
        if (scope.Length > 0 && !scope.EndsWith(':')) return null;
        scope = scope.TrimEnd(':');
        var refused = Names.RefuseScope(scope) ?? (type == Names.Agent ? Names.RefuseAgent(id) : Names.RefuseType(type) ?? Names.RefuseId(type, id));
        return refused is null ? (scope, type, id) : null;
    }

    /// <summary>Where the name begins after the first segment <c>agent</c>: a scope may not have that segment, a name may.</summary>
    private static int? AgentNameAt(string key)
    {
        const string segment = "agent:";
        if (key.StartsWith(segment, StringComparison.Ordinal)) return segment.Length;
        return key.IndexOf(":" + segment, StringComparison.Ordinal) is >= 0 and var at ? at + 1 + segment.Length : null;
    }
}
