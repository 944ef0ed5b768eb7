using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Ctrl.Store;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Tests;
using StackExchange.Redis;

namespace NanoAspire.Ctrl.Tests.Store;

[Trait("needs", "redis")]
public sealed class RedisStoreTests(RedisFixture redis) : CtrlStoreContract, IClassFixture<RedisFixture>, IAsyncLifetime
{
    private RedisStore? _store;

    private protected override ICtrlStore Store => _store!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Needs.Redis, Needs.RedisReason);
        await redis.FlushAsync();
        _store = await ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_store is not null) await _store.DisposeAsync();
    }

    /// <summary>What time does: the keys are gone and the scores are past.</summary>
    private protected override async Task LetLeasesLapseAsync()
    {
        foreach (var member in await redis.Raw.SortedSetRangeByRankAsync(RedisKeys.Leases))
        {
            var (keys, type, id) = RedisKeys.ParseMember(member!);
            await redis.Raw.KeyDeleteAsync(keys.Record(type, id));
            await redis.Raw.SortedSetAddAsync(RedisKeys.Leases, member, 1);
        }
    }

    private protected override async Task LetGraceEndAsync()
    {
        foreach (var member in await redis.Raw.SortedSetRangeByRankAsync(RedisKeys.Orphans)) await redis.Raw.SortedSetAddAsync(RedisKeys.Orphans, member, 1);
    }

    [Fact]
    public async Task Two_replicas_share_everything_and_one_of_them_finds_a_lapsed_lease()
    {
        await using var other = await ConnectAsync();
        using var watch = other.Subscribe("s", Names.Service);
        await Store.RegisterAsync("s", Samples.Entity("a"), default);
        Assert.NotNull(await other.FindAsync("s", Names.Service, "a", default));
        await LetLeasesLapseAsync();
        var found = await Task.WhenAll(Store.SweepAsync(default), other.SweepAsync(default));
        Assert.Equal(1, found.Sum());
        Assert.Equal(2, await other.RevisionAsync("s", Names.Service, default));
    }

    [Fact]
    public async Task Keys_that_two_scopes_can_spell_never_cross_from_one_to_the_other()
    {
        await Store.RegisterAsync("job", Samples.Entity("p0", type: "work"), default);
        Assert.Null(await Store.RegisterAsync("", Samples.Entity("work:p0", type: "job"), default));
        Assert.Null(await Store.FindAsync("", "job", "work:p0", default));
        Assert.False(await Store.RenewAsync("", "job", "work:p0", leaseId: null, default));
        Assert.False(await Store.UnregisterAsync("", "job", "work:p0", leaseId: null, default));
        Assert.NotNull(await Store.FindAsync("job", "work", "p0", default));
    }

    [Fact]
    public async Task An_agent_hash_that_was_written_after_the_lease_lapsed_is_no_registration()
    {
        await Store.StartAgentAsync("", "a", "agent", Samples.Agent(), default);
        await redis.Raw.KeyDeleteAsync("agent:a");
        await redis.Raw.HashSetAsync("agent:a", [new HashEntry("memory_keys", "[]")]);
        Assert.False(await Store.RenewAsync("", Names.Agent, "a", leaseId: null, default));
        Assert.Empty(await Store.ListAgentsAsync("", default));
        Assert.NotNull(await Store.StartAgentAsync("", "a", "agent", Samples.Agent(), default));
    }

    [Fact]
    public async Task Cleanup_spares_an_agent_whose_name_begins_with_the_other_ones()
    {
        foreach (var name in (string[])["E", "E:0"])
        {
            await Store.StartAgentAsync("", name, "agent", Samples.Agent(), default);
            await Store.SetMemoryRegionAsync("", name, "kv", "{}", default);
        }
        foreach (var key in (string[])["exchange:E:0:b", "exchange:E:b", "exchange:b:E", "exchange:b:E:0", "exchange:b:E:b:mlx5_0:port1->E:mlx5_0:port1#qp1", "exchange:b:c"]) await redis.Raw.StringSetAsync(key, "{}");
        await Store.CleanupAgentAsync("", "E", default);
        Assert.NotNull(await Store.GetMemoryRegionAsync("", "E:0", "kv", default));
        Assert.Null(await Store.GetMemoryRegionAsync("", "E", "kv", default));
        Assert.True(await redis.Raw.KeyExistsAsync("exchange:E:0:b"));
        Assert.True(await redis.Raw.KeyExistsAsync("exchange:b:E:0"));
        Assert.True(await redis.Raw.KeyExistsAsync("exchange:b:c"));
        Assert.False(await redis.Raw.KeyExistsAsync("exchange:E:b"));
        Assert.False(await redis.Raw.KeyExistsAsync("exchange:b:E"));
        Assert.False(await redis.Raw.KeyExistsAsync("exchange:b:E:b:mlx5_0:port1->E:mlx5_0:port1#qp1"));
    }

    [Fact]
    public async Task A_renewal_takes_a_record_of_another_control_plane_into_the_list()
    {
        await redis.Raw.HashSetAsync("engine:x", [new HashEntry("id", "x"), new HashEntry("info", """{"id":"x"}""")]);
        await redis.Raw.KeyExpireAsync("engine:x", TimeSpan.FromSeconds(60));
        Assert.Empty(await Store.ListAsync("", Names.Engine, kind: null, default));
        Assert.True(await Store.RenewAsync("", Names.Engine, "x", leaseId: null, default));
        Assert.Single(await Store.ListAsync("", Names.Engine, kind: null, default));
    }

    [Fact]
    public async Task What_another_control_plane_left_is_taken_in_once_at_the_start()
    {
        await redis.Raw.HashSetAsync("s:engine:p:0", [new HashEntry("id", "p:0"), new HashEntry("info", """{"id":"p:0"}""")]);
        await redis.Raw.HashSetAsync("job:x", [new HashEntry("entity_type", "job"), new HashEntry("entity_id", "x"), new HashEntry("kind", "k"), new HashEntry("info", """{"entity_id":"x","kind":"k"}""")]);
        await redis.Raw.HashSetAsync("s:agent:e:0", [new HashEntry("addr", "10.0.0.1")]);
        await redis.Raw.HashSetAsync("unrelated", [new HashEntry("field", "value")]);
        await redis.Raw.HashSetAsync("bad*:engine:p", [new HashEntry("id", "p"), new HashEntry("info", "{}")]);
        Assert.Equal(3, await Store.AdoptAsync(default));
        Assert.Equal(0, await Store.AdoptAsync(default));
        Assert.Single(await Store.ListAsync("s", Names.Engine, kind: null, default));
        Assert.Single(await Store.ListAsync("", type: null, "k", default));
        Assert.Equal("e:0", Assert.Single(await Store.ListAgentsAsync("s", default)).Name);
    }

    [Fact]
    public async Task Scripts_come_back_after_the_server_forgot_them()
    {
        await Store.RegisterAsync("", Samples.Entity("a"), default);
        await redis.Raw.ExecuteAsync("SCRIPT", "FLUSH");
        Assert.True(await Store.RenewAsync("", Names.Service, "a", leaseId: null, default));
    }

    [Fact]
    public async Task A_key_of_another_type_is_an_error_of_the_store_not_an_outage()
    {
        await redis.Raw.ListLeftPushAsync("engine:p0", "x");
        await Assert.ThrowsAsync<StoreCommandException>(() => Store.RegisterAsync("", Samples.Entity("p0", type: Names.Engine), default));
        await Assert.ThrowsAsync<StoreCommandException>(() => Store.FindAsync("", Names.Engine, "p0", default));
        Assert.False(await redis.Raw.KeyExistsAsync("nano_meta:engine_revision"));
    }

    [Fact]
    public async Task Nothing_that_serves_a_list_scans_or_uses_keys()
    {
        await Store.RegisterAsync("s", Samples.Entity("a"), default);
        await redis.Raw.ExecuteAsync("CONFIG", "RESETSTAT");
        await Store.ListAsync("s", type: null, kind: null, default);
        await Store.ListAgentsAsync("s", default);
        await Store.SweepAsync(default);
        var statistics = (string?)await redis.Raw.ExecuteAsync("INFO", "commandstats");
        Assert.Contains("cmdstat_smembers", statistics);
        Assert.DoesNotContain("cmdstat_keys", statistics);
        Assert.DoesNotContain("cmdstat_scan", statistics);
    }

    private Task<RedisStore> ConnectAsync() =>
        RedisStore.ConnectAsync(redis.Address, IRegistryStore.Lease, TimeSpan.FromSeconds(5), TimeProvider.System, NullLogger.Instance, default);
}
