using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Tests;
using StackExchange.Redis;

namespace NanoAspire.Ctrl.Tests.Api;

/// <summary>The same cases on Redis, and those that look into it.</summary>
[Trait("needs", "redis")]
public sealed class RedisConformanceTests(RedisFixture redis) : ConformanceContract, IClassFixture<RedisFixture>, IAsyncLifetime
{
    private CtrlServer? _server;

    private protected override CtrlServer Server => _server!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Needs.Redis, Needs.RedisReason);
        await redis.FlushAsync();
        _server = await CtrlServer.StartAsync(new CtrlOptions { Redis = redis.Address });
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }

    private protected override Task LapseAsync(string scope, string type, string id) => redis.Raw.KeyDeleteAsync($"{(scope.Length == 0 ? "" : scope + ":")}{type}:{id}");

    [Fact]
    public async Task Case_03_a_registered_engine_in_redis_and_on_the_channel()
    {
        var events = await ListenAsync("s:nano_events:engine_update");
        await Server.OkAsync("/register_engine", P0);
        var hash = (await redis.Raw.HashGetAllAsync("s:engine:p0")).ToDictionary(e => (string)e.Name!, e => (string)e.Value!);
        Assert.Equal(["host", "id", "info", "model_path", "num_blocks", "peer_addrs", "port", "role", "world_size"], hash.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("p0", "prefill", "127.0.0.1", "6001", "8", "15000", "[]", ""), (hash["id"], hash["role"], hash["host"], hash["port"], hash["world_size"], hash["num_blocks"], hash["peer_addrs"], hash["model_path"]));
        await AssertLeaseAsync("s:engine:p0");
        var info = JsonElement.Parse(hash["info"]);
        Assert.Equal(("", 0, 0), (Text(info, "p2p_host"), info.GetProperty("p2p_port").GetInt32(), info.GetProperty("max_num_seqs").GetInt32()));
        Assert.Equal(JsonValueKind.Null, info.GetProperty("model_path").ValueKind);
        Assert.False(info.TryGetProperty("zmq_address", out _));
        Assert.Equal("1", (string?)await redis.Raw.StringGetAsync("s:nano_meta:engine_revision"));
        var added = Assert.Single(await events.TakeAsync(1));
        Assert.Equal(("ADD", "p0", 1), (Text(added, "event_type"), Text(added, "engine_id"), added.GetProperty("revision").GetInt32()));
        Assert.Equal(JsonValueKind.Number, added.GetProperty("timestamp").ValueKind);
        var payload = added.GetProperty("payload");
        Assert.Equal("tcp://127.0.0.1:6001", Text(payload, "zmq_address"));
        Assert.Equal("[]", payload.GetProperty("peer_addrs").GetRawText());
        Assert.Equal(8, payload.GetProperty("world_size").GetInt32());
    }

    [Fact]
    public async Task Case_05_registering_twice_and_a_heartbeat()
    {
        var events = await ListenAsync("s:nano_events:engine_update");
        await Server.OkAsync("/register_engine", P0);
        await redis.Raw.KeyExpireAsync("s:engine:p0", TimeSpan.FromSeconds(10));
        await Server.OkAsync("/register_engine", P0);
        await AssertLeaseAsync("s:engine:p0");
        Assert.Equal([1, 2], (await events.TakeAsync(2)).Select(e => e.GetProperty("revision").GetInt32()));
        await redis.Raw.KeyExpireAsync("s:engine:p0", TimeSpan.FromSeconds(10));
        Assert.Equal("ok", Status(await Server.OkAsync("/heartbeat_engine", """{"engine_id":"p0","scope":"s"}""")));
        await AssertLeaseAsync("s:engine:p0");
        Assert.Equal("2", (string?)await redis.Raw.StringGetAsync("s:nano_meta:engine_revision"));
        Assert.Empty(await events.RestAsync());
    }

    [Fact]
    public async Task Case_06_nothing_is_written_for_an_engine_that_is_not_there()
    {
        await Server.OkAsync("/unregister_engine", """{"engine_id":"ghost"}""");
        await Server.OkAsync("/heartbeat_engine", """{"engine_id":"ghost"}""");
        Assert.Equal(0, (int)await redis.Raw.ExecuteAsync("DBSIZE"));
    }

    [Fact]
    public async Task Case_07_unregistration_in_redis_and_on_the_channel()
    {
        await Server.OkAsync("/register_engine", P0);
        var events = await ListenAsync("s:nano_events:engine_update");
        await Server.OkAsync("/unregister_engine", """{"engine_id":"p0","scope":"s"}""");
        Assert.False(await redis.Raw.KeyExistsAsync("s:engine:p0"));
        Assert.Equal("2", (string?)await redis.Raw.StringGetAsync("s:nano_meta:engine_revision"));
        var removed = Assert.Single(await events.TakeAsync(1));
        Assert.Equal(("REMOVE", "p0", 2), (Text(removed, "event_type"), Text(removed, "engine_id"), removed.GetProperty("revision").GetInt32()));
        Assert.False(removed.TryGetProperty("payload", out var payload) && payload.ValueKind != JsonValueKind.Null);
    }

    [Fact]
    public async Task Case_09_a_registered_entity_in_redis_and_on_the_channel()
    {
        var events = await ListenAsync("nano_events:service_update");
        await Server.OkAsync("/register", """{"entity_id":"cache:0","kind":"cache"}""");
        var hash = (await redis.Raw.HashGetAllAsync("service:cache:0")).ToDictionary(e => (string)e.Name!, e => (string)e.Value!);
        Assert.Equal(["endpoint", "entity_id", "entity_type", "info", "kind", "metadata", "resource"], hash.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("service", "cache:0", "cache", "", "{}", ""), (hash["entity_type"], hash["entity_id"], hash["kind"], hash["endpoint"], hash["metadata"], hash["resource"]));
        await AssertLeaseAsync("service:cache:0");
        Assert.Equal("1", (string?)await redis.Raw.StringGetAsync("nano_meta:service_revision"));
        var added = Assert.Single(await events.TakeAsync(1));
        Assert.Equal(("ADD", "service", "cache:0", "cache"), (Text(added, "event_type"), Text(added, "entity_type"), Text(added, "entity_id"), Text(added, "kind")));
        Assert.Equal(hash["info"], added.GetProperty("payload").GetRawText());
    }

    [Fact]
    public async Task Case_11_an_expired_key_is_not_announced_before_its_lease_would_have_ended()
    {
        await Server.OkAsync("/register", """{"entity_id":"cache:0","kind":"cache"}""");
        var events = await ListenAsync("nano_events:service_update");
        await redis.Raw.KeyExpireAsync("service:cache:0", TimeSpan.FromSeconds(1));
        await Task.Delay(1500);
        Assert.Equal("not_found", Status(await Server.OkAsync("/heartbeat", """{"entity_type":"service","entity_id":"cache:0"}""")));
        Assert.Equal(0, (await Server.OkAsync("/list_entities", "{}")).GetProperty("entities").GetArrayLength());
        Assert.Empty(await events.RestAsync());
    }

    [Fact]
    public async Task Case_12_the_agents_counter_lease_and_redis_address()
    {
        JsonElement started = default;
        for (var i = 0; i < 10; i++) started = await Server.OkAsync("/start_peer_agent", """{"address":"127.0.0.1","device":"mlx5_0","ib_port":1,"link_type":"RoCE"}""");
        Assert.Equal("10", (string?)await redis.Raw.StringGetAsync("agent_name_counter"));
        await AssertLeaseAsync("agent:agent-a");
        Assert.Equal($"127.0.0.1:{redis.Port}", Text(started, "redis_address"));
        var hash = (await redis.Raw.HashGetAllAsync("agent:agent-a")).ToDictionary(e => (string)e.Name!, e => (string)e.Value!);
        Assert.Equal(["addr", "device", "ib_port", "link_type", "memory_keys", "updated_at"], hash.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("[]", hash["memory_keys"]);
    }

    [Fact]
    public async Task Case_15_desired_topology_in_redis()
    {
        Assert.Equal("{\"status\":\"ok\"}", (await Server.OkAsync("/v1/desired_topology/a", """{"target_peers":["b","c"],"min_bw":"100Gbps"}""")).GetRawText());
        var spec = JsonElement.Parse(((string?)await redis.Raw.StringGetAsync("spec:topology:a"))!);
        Assert.Equal(("[\"b\",\"c\"]", "100Gbps", false, JsonValueKind.Null), (spec.GetProperty("target_peers").GetRawText(), Text(spec, "min_bw"), spec.GetProperty("symmetric").GetBoolean(), spec.GetProperty("scope").ValueKind));
        var entries = await StreamAsync("stream:a");
        Assert.Equal([("connect_peer", "b"), ("connect_peer", "c")], entries.Select(e => (e["type"], e["peer"])));
        Assert.All(entries, e => Assert.True(double.Parse(e["timestamp"], CultureInfo.InvariantCulture) > 1.6e9));
        Assert.False(await redis.Raw.KeyExistsAsync("stream:b"));
        Assert.False(await redis.Raw.KeyExistsAsync("spec:topology:b"));
        await Server.OkAsync("/v1/desired_topology/a", """{"target_peers":["d"]}""");
        Assert.Contains("\"target_peers\":[\"d\"]", (string?)await redis.Raw.StringGetAsync("spec:topology:a"));
        Assert.Equal(3, (await StreamAsync("stream:a")).Length);
    }

    [Fact]
    public async Task Case_16_symmetric_topology_edits_the_peer()
    {
        await redis.Raw.StringSetAsync("spec:topology:b", """{"target_peers":["x"],"min_bw":"1","symmetric":true}""");
        for (var round = 1; round <= 2; round++)
        {
            await Server.OkAsync("/v1/desired_topology/a", """{"target_peers":["b"],"symmetric":true}""");
            var spec = JsonElement.Parse(((string?)await redis.Raw.StringGetAsync("spec:topology:b"))!);
            Assert.Equal(("[\"x\",\"a\"]", JsonValueKind.Null, false), (spec.GetProperty("target_peers").GetRawText(), spec.GetProperty("min_bw").ValueKind, spec.GetProperty("symmetric").GetBoolean()));
            Assert.Equal(round, (await StreamAsync("stream:a")).Length);
            Assert.Equal(Enumerable.Repeat("a", round), (await StreamAsync("stream:b")).Select(e => e["peer"]));
        }
    }

    [Fact]
    public async Task Case_17_cleanup_in_redis()
    {
        foreach (var agent in (string[])["a", "b", "d"]) await Server.OkAsync("/start_peer_agent", $$"""{"alias":"{{agent}}","address":"127.0.0.1"}""");
        await redis.Raw.StringSetAsync("spec:topology:a", """{"target_peers":["b"],"min_bw":null,"symmetric":false,"scope":null}""");
        await redis.Raw.StringSetAsync("spec:topology:d", """{"target_peers":["a"],"min_bw":null,"symmetric":false,"scope":null}""");
        foreach (var key in (string[])["exchange:a:b", "exchange:b:a", "mr:a:kv", "mr:b:kv"]) await redis.Raw.StringSetAsync(key, "{}");
        await redis.Raw.ListLeftPushAsync("inbox:a", "x");
        await redis.Raw.ExecuteAsync("XADD", "stream:a", "*", "type", "t");
        await Server.OkAsync("/cleanup", """{"agent_name":"a"}""");
        foreach (var left in (string[])["agent:b", "agent:d", "mr:b:kv", "spec:topology:d"]) Assert.True(await redis.Raw.KeyExistsAsync(left), left);
        foreach (var gone in (string[])["agent:a", "spec:topology:a", "exchange:a:b", "exchange:b:a", "inbox:a", "mr:a:kv", "stream:a"]) Assert.False(await redis.Raw.KeyExistsAsync(gone), gone);
        foreach (var inbox in (string[])["inbox:b", "inbox:d", ":inbox:b"])
        {
            var notice = JsonElement.Parse((string)Assert.Single(await redis.Raw.ListRangeAsync(inbox))!);
            Assert.Equal(("cleanup", "a"), (Text(notice, "type"), Text(notice, "peer")));
        }
        await Server.OkAsync("/cleanup", """{"agent_name":"a"}""");
        Assert.Equal((1, 2), (await redis.Raw.ListLengthAsync("inbox:b"), await redis.Raw.ListLengthAsync("inbox:d")));
        await Server.OkAsync("/cleanup", """{"agent_name":"nobody"}""");
    }

    [Fact]
    public async Task Case_18_a_region_that_an_agent_wrote_itself_is_read_and_a_broken_one_is_not()
    {
        await redis.Raw.StringSetAsync("mr:a:big", """{"agent_name":"a","mr_name":"big","device":"mlx5_0","ib_port":1,"link_type":"RoCE","addr":5,"length":6,"rkey":7,"lkey":0}""");
        Assert.Equal("""{"addr":5,"length":6,"rkey":7,"lkey":0}""", (await Server.OkAsync("/get_mr_info", """{"src":"x","dst":"a","mr_name":"big"}""")).GetProperty("mr_info").GetRawText());
        foreach (var broken in (string[])["""{"addr":5,"length":6,"rkey":7}""", """{"addr":-5,"length":6,"rkey":7,"lkey":0}""", "no json", "[]"])
        {
            await redis.Raw.StringSetAsync("mr:a:broken", broken);
            Assert.Equal(JsonValueKind.Null, (await Server.OkAsync("/get_mr_info", """{"src":"x","dst":"a","mr_name":"broken"}""")).GetProperty("mr_info").ValueKind);
        }
    }

    [Fact]
    public async Task Case_19_the_redis_address_that_others_are_told()
    {
        var url = Text(await Server.OkAsync("/get_redis_address", "{}"), "redis_address")!;
        Assert.StartsWith("redis://", url);
        Assert.EndsWith($":{redis.Port}", url);
        await using var published = await CtrlServer.StartAsync(new CtrlOptions { Redis = redis.Address, RedisPublicAddress = "h:1" });
        Assert.Equal("h:1", Text(await published.OkAsync("/start_peer_agent", """{"address":"10.0.0.9"}"""), "redis_address"));
        Assert.Equal($"127.0.0.1:{redis.Port}", Text(await published.OkAsync("/start_peer_agent", """{"address":"127.0.0.1"}"""), "redis_address"));
        await using var advertised = await CtrlServer.StartAsync(new CtrlOptions { Redis = redis.Address, RedisPublicAddress = "h:1", RedisAdvertise = "redis://adv:16379" });
        Assert.Equal("redis://adv:16379", Text(await advertised.OkAsync("/get_redis_address", "{}"), "redis_address"));
        Assert.Equal("adv:16379", Text(await advertised.OkAsync("/start_peer_agent", """{"address":"10.0.0.9"}"""), "redis_address"));
    }

    [Fact]
    public async Task A_key_of_another_type_is_a_500_that_says_so()
    {
        await redis.Raw.ListLeftPushAsync("engine:p0", "x");
        foreach (var (path, body) in ((string, string)[])[("/register_engine", P0.Replace(",\"scope\":\"s\"", "")), ("/get_engine_info", """{"engine_id":"p0"}""")])
        {
            var (status, reply) = await Server.PostAsync(path, body);
            Assert.Equal((HttpStatusCode.InternalServerError, "error"), (status, Status(reply)));
            Assert.StartsWith("Redis: ", Text(reply, "message"));
        }
    }

    [Fact]
    public async Task A_lapsed_lease_is_announced_as_a_removal()
    {
        await Server.OkAsync("/register_engine", P0);
        var events = await ListenAsync("s:nano_events:engine_update");
        await redis.Raw.KeyDeleteAsync("s:engine:p0");
        await redis.Raw.SortedSetAddAsync("nano_leases", "s\nengine\np0", 1);
        var removed = Assert.Single(await events.TakeAsync(1));
        Assert.Equal(("REMOVE", "p0", 2), (Text(removed, "event_type"), Text(removed, "engine_id"), removed.GetProperty("revision").GetInt32()));
    }

    private async Task AssertLeaseAsync(string key) => Assert.InRange((await redis.Raw.KeyTimeToLiveAsync(key))!.Value.TotalSeconds, 57.5, 60);

    private async Task<Dictionary<string, string>[]> StreamAsync(string key)
    {
        var entries = (RedisResult[])(await redis.Raw.ExecuteAsync("XRANGE", key, "-", "+"))!;
        return [.. entries.Select(entry => ((string[])((RedisResult[])entry!)[1]!).Chunk(2).ToDictionary(f => f[0], f => f[1]))];
    }

    private async Task<Listener> ListenAsync(string channel)
    {
        var listener = new Listener();
        await redis.Subscriber.SubscribeAsync(channel, (_, message) => listener.Events.Enqueue(JsonElement.Parse((string)message!)));
        return listener;
    }

    private sealed class Listener
    {
        public ConcurrentQueue<JsonElement> Events { get; } = new();

        public async Task<JsonElement[]> TakeAsync(int count)
        {
            await Eventually.TrueAsync(() => Events.Count >= count, $"{count} events");
            return await RestAsync();
        }

        public async Task<JsonElement[]> RestAsync()
        {
            await Task.Delay(100);
            var events = Events.ToArray();
            Events.Clear();
            return events;
        }
    }
}
