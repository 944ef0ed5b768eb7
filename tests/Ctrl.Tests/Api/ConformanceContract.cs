using System.Net;
using System.Text;
using System.Text.Json;
using NanoAspire.Ctrl.Tests.Support;

namespace NanoAspire.Ctrl.Tests.Api;

/// <summary>The conformance cases of the wire contract as far as HTTP alone shows them: both stores must pass.</summary>
public abstract class ConformanceContract
{
    private protected const string P0 = """{"engine_id":"p0","role":"prefill","world_size":8,"num_blocks":15000,"host":"127.0.0.1","port":6001,"peer_addrs":[],"scope":"s"}""";

    private protected abstract CtrlServer Server { get; }

    /// <summary>Lets the record's lease end.</summary>
    private protected abstract Task LapseAsync(string scope, string type, string id);

    [Fact]
    public async Task Case_01_root_wrong_method_and_unknown_path()
    {
        using var root = await Server.Http.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, root.StatusCode);
        Assert.Equal("text/plain", root.Content.Headers.ContentType!.MediaType);
        Assert.Equal("NanoCtrl Server Running", await root.Content.ReadAsStringAsync());
        using var head = await Server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/"));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        using var wrong = await Server.Http.GetAsync("/query");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, wrong.StatusCode);
        Assert.Equal(["POST"], wrong.Content.Headers.Allow);
        using var unknown = await Server.Http.PostAsync("/nope", content: null);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Empty(await unknown.Content.ReadAsByteArrayAsync());
        using var noAgent = await Server.Http.PostAsync("/v1/desired_topology/", content: null);
        Assert.Equal(HttpStatusCode.NotFound, noAgent.StatusCode);
    }

    [Theory]
    [InlineData("{}", null, 415)]
    [InlineData("{}", "text/json", 415)]
    [InlineData("{}", "image/svg+json", 415)]
    [InlineData("{}", "application/x+json", 200)]
    [InlineData("{}", "application/json; charset=utf-8", 200)]
    [InlineData("{} trailing", "application/json", 200)]
    [InlineData("", "application/json", 400)]
    [InlineData("{", "application/json", 400)]
    [InlineData("""{"scope":5}""", "application/json", 422)]
    [InlineData("""{"scope":"a","scope":"a"}""", "application/json", 422)]
    [InlineData("[]", "application/json", 422)]
    [InlineData("""{"scope":null,"other":1}""", "application/json", 200)]
    public async Task Case_02_content_types_and_bodies(string body, string? contentType, int expected) =>
        Assert.Equal(expected, (int)await Server.RawAsync("/query", Encoding.UTF8.GetBytes(body), contentType));

    [Fact]
    public async Task Case_02_a_body_over_two_mebibytes_is_refused_and_the_server_goes_on()
    {
        foreach (var mebibytes in (int[])[3, 40]) Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await Server.RawAsync("/query", new byte[mebibytes * 1024 * 1024], "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, await Server.RawAsync("/query", [0x22, 0xC3, 0x28, 0x22], "application/json"));
        var (status, body) = await Server.PostAsync("/query", "{}");
        Assert.Equal((HttpStatusCode.OK, 0), (status, body.GetArrayLength()));
    }

    [Fact]
    public async Task Case_04_an_engine_needs_its_fields_in_range_and_may_bring_more()
    {
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/register_engine", P0.Replace(",\"peer_addrs\":[]", ""))).Status);
        foreach (var port in (string[])["-1", "1.5", "4294967296", "65536", "\"1\"", "null"])
        {
            var (status, body) = await Server.PostAsync("/register_engine", P0.Replace("6001", port));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
            Assert.StartsWith("port: ", body.GetProperty("message").GetString());
        }
        await Server.OkAsync("/register_engine", P0.Replace("\"role\"", "\"gdn_num_slots\":4,\"role\""));
        var info = (await Server.OkAsync("/get_engine_info", """{"engine_id":"p0","scope":"s"}""")).GetProperty("engine_info");
        Assert.Equal(4, info.GetProperty("gdn_num_slots").GetInt32());
        Assert.False(info.TryGetProperty("zmq_address", out _));
    }

    [Fact]
    public async Task Case_06_heartbeat_and_unregistration_of_an_engine_that_is_not_there()
    {
        Assert.Equal("not_found", Status(await Server.OkAsync("/heartbeat_engine", """{"engine_id":"ghost"}""")));
        Assert.Equal("ok", Status(await Server.OkAsync("/unregister_engine", """{"engine_id":"ghost"}""")));
        Assert.Equal(0, await Server.Store.RevisionAsync("", "engine", default));
        await Server.OkAsync("/register_engine", P0);
        Assert.Equal("ok", Status(await Server.OkAsync("/heartbeat_engine", """{"entity_type":"engine","entity_id":"p0","scope":"s"}""")));
        Assert.Equal("ok", Status(await Server.OkAsync("/heartbeat", """{"entity_type":"engine","entity_id":"p0","scope":"s"}""")));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/heartbeat_engine", "{}")).Status);
    }

    [Fact]
    public async Task Case_07_an_unregistered_engine_is_not_found()
    {
        await Server.OkAsync("/register_engine", P0);
        await Server.OkAsync("/unregister_engine", """{"engine_id":"p0","scope":"s"}""");
        var found = await Server.OkAsync("/get_engine_info", """{"engine_id":"p0","scope":"s"}""");
        Assert.Equal("not_found", Status(found));
        Assert.Equal(JsonValueKind.Null, found.GetProperty("engine_info").ValueKind);
    }

    [Fact]
    public async Task Case_08_each_scope_lists_exactly_its_own_engines()
    {
        foreach (var (id, scope) in ((string, string)[])[("a", "\"s1\""), ("b", "\"s2\""), ("c", "null")])
            await Server.OkAsync("/register_engine", P0.Replace("\"p0\"", $"\"{id}\"").Replace("\"s\"", scope));
        Assert.Equal(["a"], await EnginesAsync("""{"scope":"s1"}"""));
        Assert.Equal(["b"], await EnginesAsync("""{"scope":"s2"}"""));
        Assert.Equal(["c"], await EnginesAsync("{}"));
        Assert.Equal(["c"], await EnginesAsync("""{"scope":""}"""));
    }

    [Fact]
    public async Task Case_09_an_entity_comes_back_with_its_defaults()
    {
        await Server.OkAsync("/register", """{"entity_id":"cache:0","kind":"cache"}""");
        var info = (await Server.OkAsync("/get_entity_info", """{"entity_id":"cache:0"}""")).GetProperty("entity_info");
        Assert.Equal(("cache:0", "cache:0", "service", "cache"), (Text(info, "id"), Text(info, "entity_id"), Text(info, "entity_type"), Text(info, "kind")));
        Assert.Equal(JsonValueKind.Null, info.GetProperty("endpoint").ValueKind);
        Assert.Equal("{}", info.GetProperty("metadata").GetRawText());
        Assert.Equal(JsonValueKind.Null, info.GetProperty("resource").ValueKind);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/register", """{"entity_id":"x","kind":"k","entity_type":null}""")).Status);
        await Server.OkAsync("/register", """{"entity_id":"x","kind":"k","metadata":null,"endpoint":{"host":"h","port":1,"empty":[]}}""");
        info = (await Server.OkAsync("/get_entity_info", """{"entity_id":"x"}""")).GetProperty("entity_info");
        Assert.Equal(JsonValueKind.Null, info.GetProperty("metadata").ValueKind);
        Assert.Equal(0, info.GetProperty("endpoint").GetProperty("empty").GetArrayLength());
    }

    [Fact]
    public async Task Case_10_lists_are_filtered_by_type_and_kind()
    {
        foreach (var body in (string[])["\"x\",\"kind\":\"cache\"", "\"y\",\"kind\":\"prefill\"", "\"z\",\"entity_type\":\"job\",\"kind\":\"cache\""])
            await Server.OkAsync("/register", $$"""{"scope":"s","entity_id":{{body}}}""");
        Assert.Equal(["x"], await EntitiesAsync("""{"scope":"s","entity_type":"service","kind":"cache"}"""));
        Assert.Equal(["x", "z"], await EntitiesAsync("""{"scope":"s","kind":"cache"}"""));
        Assert.Equal(["x", "y", "z"], await EntitiesAsync("""{"scope":"s","entity_type":null,"kind":null}"""));
        Assert.Empty(await EntitiesAsync("""{"scope":"s","kind":"nope"}"""));
        Assert.Empty(await EntitiesAsync("{}"));
    }

    [Fact]
    public async Task Case_11_a_heartbeat_names_its_type_and_fails_once_the_lease_has_lapsed()
    {
        await Server.OkAsync("/register", """{"entity_id":"cache:0","kind":"cache"}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/heartbeat", """{"entity_id":"cache:0"}""")).Status);
        Assert.Equal("ok", Status(await Server.OkAsync("/heartbeat", """{"entity_type":"service","entity_id":"cache:0"}""")));
        await LapseAsync("", "service", "cache:0");
        Assert.Equal("not_found", Status(await Server.OkAsync("/heartbeat", """{"entity_type":"service","entity_id":"cache:0"}""")));
        Assert.Empty(await EntitiesAsync("{}"));
    }

    [Fact]
    public async Task Case_12_generated_agent_names_count_in_hexadecimal()
    {
        var names = new List<string>();
        for (var i = 0; i < 10; i++) names.Add(Text(await Server.OkAsync("/start_peer_agent", """{"address":"127.0.0.1","device":"mlx5_0","ib_port":1,"link_type":"RoCE"}"""), "name"));
        Assert.Equal([.. Enumerable.Range(1, 9).Select(i => $"agent-{i}"), "agent-a"], names);
        Assert.Equal("w-b", Text(await Server.OkAsync("/start_peer_agent", """{"address":"127.0.0.1","name_prefix":"w"}"""), "name"));
        Assert.Equal("agent-1", Text(await Server.OkAsync("/start_peer_agent", """{"address":"127.0.0.1","scope":"other"}"""), "name"));
    }

    [Fact]
    public async Task Case_13_and_14_an_alias_is_taken_once_a_scope_and_shows_in_the_query()
    {
        var first = await Server.OkAsync("/start_peer_agent", """{"alias":"w0","address":"10.0.0.1","resource":{"nics":[]}}""");
        Assert.Equal("{\"nics\":[]}", first.GetProperty("resource").GetRawText());
        var (status, body) = await Server.PostAsync("/start_peer_agent", """{"alias":"w0","address":"10.0.0.2"}""");
        Assert.Equal((HttpStatusCode.Conflict, "error"), (status, Status(body)));
        Assert.False((await Server.OkAsync("/start_peer_agent", """{"alias":"w0","address":"10.0.0.3","scope":"t"}""")).TryGetProperty("resource", out _));
        var agents = await Server.OkAsync("/query", "{}");
        var agent = Assert.Single(agents.EnumerateArray());
        Assert.Equal(("w0", "10.0.0.1", "", ""), (Text(agent, "name"), Text(agent, "address"), Text(agent, "device"), Text(agent, "link_type")));
        Assert.Equal(1, agent.GetProperty("ib_port").GetInt32());
        Assert.Equal(0, agent.GetProperty("memory_keys").GetArrayLength());
        Assert.Equal("{\"nics\":[]}", agent.GetProperty("resource").GetRawText());
        Assert.Equal("ok", Status(await Server.OkAsync("/heartbeat", """{"entity_type":"agent","entity_id":"w0"}""")));
        Assert.Equal("not_found", Status(await Server.OkAsync("/get_entity_info", """{"entity_type":"agent","entity_id":"w0"}""")));
    }

    [Theory]
    [InlineData("""{"address":"h","alias":""}""")]
    [InlineData("""{"alias":"a"}""")]
    [InlineData("""{"address":"h","name_prefix":null}""")]
    [InlineData("""{"address":"h","ib_port":-1}""")]
    public async Task An_agent_without_a_name_or_address_is_refused(string body) =>
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/start_peer_agent", body)).Status);

    [Fact]
    public async Task Case_18_memory_regions_keep_their_numbers_exactly()
    {
        await Server.OkAsync("/register_mr", """{"agent_name":"a","mr_name":"kv","addr":18446744073709551615,"length":4096,"rkey":7}""");
        var region = (await Server.OkAsync("/get_mr_info", """{"src":"x","dst":"a","mr_name":"kv"}""")).GetProperty("mr_info");
        Assert.Equal((ulong.MaxValue, 4096u, 7u, 0u), (region.GetProperty("addr").GetUInt64(), region.GetProperty("length").GetUInt32(), region.GetProperty("rkey").GetUInt32(), region.GetProperty("lkey").GetUInt32()));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/get_mr_info", """{"dst":"a","mr_name":"kv"}""")).Status);
        Assert.Equal("{\"mr_info\":null}", (await Server.OkAsync("/get_mr_info", """{"src":"x","dst":"a","mr_name":"other"}""")).GetRawText());
        foreach (var address in (string[])["-1", "18446744073709551616", "1.5", "null"])
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/register_mr", $$"""{"agent_name":"a","mr_name":"kv","addr":{{address}},"length":4096,"rkey":7}""")).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/register_mr", """{"agent_name":"a","mr_name":"kv","addr":1,"length":1,"rkey":7,"lkey":null}""")).Status);
    }

    [Fact]
    public async Task Reports_of_agents_are_kept_and_mistakes_in_them_named()
    {
        const string Call = """{"agent_name":"a","ttl_ms":180000,"report":{"schema_version":1,"peer_id":"a"},"scope":"s"}""";
        Assert.Equal("not_found", Text(await Server.OkAsync("/v1/report_peer", Call), "status"));
        await Server.OkAsync("/start_peer_agent", """{"alias":"a","address":"h","scope":"s"}""");
        Assert.Equal("ok", Text(await Server.OkAsync("/v1/report_peer", Call), "status"));
        Assert.Equal("a", Text(Assert.Single((await Server.OkAsync("/v1/peer_reports", """{"scope":"s"}""")).GetProperty("reports").EnumerateArray()), "peer_id"));
        Assert.Empty((await Server.OkAsync("/v1/peer_reports", "{}")).GetProperty("reports").EnumerateArray());
        foreach (var (wrong, field) in ((string, string)[])
        [
            ("""{"agent_name":"a","ttl_ms":1,"report":{}}""", "ttl_ms"), ("""{"agent_name":"a","ttl_ms":90000000,"report":{}}""", "ttl_ms"),
            ("""{"agent_name":"a","ttl_ms":5000,"report":[]}""", "report"), ("""{"agent_name":"a","ttl_ms":5000}""", "report"),
        ])
        {
            var (status, body) = await Server.PostAsync("/v1/report_peer", wrong);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
            Assert.Contains(field, Text(body, "message"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Topology_mail_and_notices_work_over_http_alone()
    {
        await Server.OkAsync("/v1/desired_topology/e%3A0", """{"target_peers":["b"],"symmetric":true,"scope":"s"}""");
        var entry = Assert.Single((await Server.OkAsync("/v1/read_mail", """{"agent_name":"e:0","scope":"s"}""")).GetProperty("entries").EnumerateArray());
        Assert.Equal(("connect_peer", "b"), (Text(entry.GetProperty("fields"), "type"), Text(entry.GetProperty("fields"), "peer")));
        await Server.OkAsync("/v1/post_mail", """{"agent_name":"b","type":"qp_ready","peer":"e:0","fields":{"qp_info":"{}"},"scope":"s"}""");
        var mail = (await Server.OkAsync("/v1/read_mail", """{"agent_name":"b","scope":"s"}""")).GetProperty("entries").EnumerateArray().ToArray();
        Assert.Equal(["connect_peer", "qp_ready"], mail.Select(m => Text(m.GetProperty("fields"), "type")));
        Assert.Equal("{}", Text(mail[1].GetProperty("fields"), "qp_info"));
        await Server.OkAsync("/cleanup", """{"agent_name":"e:0","scope":"s"}""");
        var notice = Assert.Single((await Server.OkAsync("/v1/take_notices", """{"agent_name":"b","scope":"s"}""")).GetProperty("notices").EnumerateArray());
        Assert.Equal(("e:0", "cleanup"), (Text(notice, "peer"), Text(notice, "type")));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/v1/read_mail", """{"agent_name":"b","after":"$"}""")).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/v1/post_mail", """{"agent_name":"b","type":"t","peer":"p","fields":{"type":"x"}}""")).Status);
    }

    [Theory]
    [InlineData("""{"entity_id":"","kind":"k"}""")]
    [InlineData("""{"entity_id":"a*","kind":"k"}""")]
    [InlineData("""{"entity_id":"a\nb","kind":"k"}""")]
    [InlineData("""{"entity_id":"a","kind":"k","entity_type":"agent"}""")]
    [InlineData("""{"entity_id":"a","kind":"k","entity_type":"nano_meta"}""")]
    [InlineData("""{"entity_id":"a","kind":"k","entity_type":"a:b"}""")]
    [InlineData("""{"entity_id":"stream:x","kind":"k","entity_type":"job"}""")]
    [InlineData("""{"entity_id":"a","kind":"k","scope":"s*"}""")]
    [InlineData("""{"entity_id":"a","kind":"k","scope":"engine"}""")]
    [InlineData("""{"entity_id":"a","kind":"k","scope":"x:stream"}""")]
    [InlineData("""{"entity_id":"a","kind":"k","scope":"x::y"}""")]
    public async Task Names_that_could_reach_another_key_are_refused(string body) =>
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/register", body)).Status);

    [Theory]
    [InlineData("/heartbeat", """{"entity_type":"nano_meta","entity_id":"engine_revision"}""")]
    [InlineData("/heartbeat", """{"entity_type":"stream","entity_id":"a"}""")]
    [InlineData("/unregister", """{"entity_type":"spec","entity_id":"topology:a"}""")]
    [InlineData("/unregister", """{"entity_type":"agent","entity_id":"a"}""")]
    public async Task Keys_that_are_no_records_cannot_be_reached_through_the_registry(string path, string body) =>
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync(path, body)).Status);

    [Fact]
    public async Task A_record_of_more_than_a_quarter_mebibyte_is_refused() =>
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Server.PostAsync("/register", "{\"entity_id\":\"a\",\"kind\":\"k\",\"metadata\":\"" + new string('x', 300_000) + "\"}")).Status);

    private protected static string Status(JsonElement reply) => Text(reply, "status");

    private protected static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private async Task<string[]> EnginesAsync(string body) =>
        [.. (await Server.OkAsync("/list_engines", body)).GetProperty("engines").EnumerateArray().Select(e => Text(e, "id")).Order(StringComparer.Ordinal)];

    private async Task<string[]> EntitiesAsync(string body) =>
        [.. (await Server.OkAsync("/list_entities", body)).GetProperty("entities").EnumerateArray().Select(e => Text(e, "entity_id")).Order(StringComparer.Ordinal)];
}
