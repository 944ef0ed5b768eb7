using System.Net;
using Microsoft.Extensions.Logging;
using NanoAspire.Ctrl.Security;
using NanoAspire.Ctrl.Tests.Support;

namespace NanoAspire.Ctrl.Tests.Security;

public sealed class AccessTests : IAsyncLifetime
{
    private const string Master = "m-token";
    private const string Own = "s-token";
    private CtrlServer? _server;

    private CtrlServer Server => _server!;

    public async ValueTask InitializeAsync() =>
        _server = await CtrlServer.StartAsync(new CtrlOptions { Tokens = new AccessTokens(Master, new Dictionary<string, string> { ["s"] = Own }) });

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    public static TheoryData<string, string> Guarded => new()
    {
        { "/register", """{"entity_id":"a","kind":"k"}""" },
        { "/unregister", """{"entity_id":"a"}""" },
        { "/heartbeat", """{"entity_type":"service","entity_id":"a"}""" },
        { "/register_engine", "{}" },
        { "/unregister_engine", """{"engine_id":"a"}""" },
        { "/heartbeat_engine", """{"engine_id":"a"}""" },
        { "/start_peer_agent", """{"address":"h"}""" },
        { "/cleanup", """{"agent_name":"a"}""" },
        { "/v1/desired_topology/a", """{"target_peers":[]}""" },
        { "/register_mr", "{}" },
        { "/v1/post_mail", "{}" },
        { "/v1/take_notices", """{"agent_name":"a"}""" },
        { "/v1/report_peer", """{"agent_name":"a"}""" },
        { "/get_redis_address", "{}" },
    };

    [Theory, MemberData(nameof(Guarded))]
    public async Task Every_route_that_changes_something_or_tells_a_secret_needs_a_token(string path, string body)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await Server.PostAsync(path, body)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Server.PostAsync(path, body, "wrong")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await Server.PostAsync(path, body, Own)).Status);
        Assert.NotEqual(HttpStatusCode.Unauthorized, (await Server.PostAsync(path, body, Master)).Status);
    }

    [Fact]
    public async Task Reading_an_unguarded_scope_needs_none()
    {
        foreach (var path in (string[])["/list_entities", "/list_engines", "/query"]) Assert.Equal(HttpStatusCode.OK, (await Server.PostAsync(path, "{}")).Status);
        using var watch = await Server.Http.GetAsync("/v1/watch", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, watch.StatusCode);
    }

    [Fact]
    public async Task A_guarded_scope_opens_to_its_own_token_and_the_master_only()
    {
        const string list = """{"scope":"s"}""";
        Assert.Equal(HttpStatusCode.Forbidden, (await Server.PostAsync("/list_entities", list)).Status);
        Assert.Equal(HttpStatusCode.OK, (await Server.PostAsync("/list_entities", list, Own)).Status);
        Assert.Equal(HttpStatusCode.OK, (await Server.PostAsync("/list_entities", list, Master)).Status);
        Assert.Equal(HttpStatusCode.OK, (await Server.PostAsync("/register", """{"entity_id":"a","kind":"k","scope":"s"}""", Own)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await Server.PostAsync("/register", """{"entity_id":"a","kind":"k","scope":"t"}""", Own)).Status);
        using var watch = await Server.Http.GetAsync("/v1/watch?scope=s", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.Unauthorized, watch.StatusCode);
    }

    [Fact]
    public async Task A_large_body_without_a_token_is_not_even_read()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await Server.RawAsync("/register", new byte[1024 * 1024], "application/json"));
    }

    [Fact]
    public async Task Each_mutation_leaves_one_audit_line_without_the_token()
    {
        await Server.PostAsync("/register", """{"entity_id":"a","kind":"k","scope":"s"}""", Own);
        await Server.PostAsync("/register", """{"entity_id":"b","kind":"k"}""", "wrong");
        await Server.PostAsync("/heartbeat", """{"entity_type":"service","entity_id":"a","scope":"s"}""", Own);
        var audits = Server.Logs.Lines.Where(l => l.Message.StartsWith("audit ", StringComparison.Ordinal)).ToArray();
        Assert.Equal(
            [
                (LogLevel.Information, "audit register service:a scope=s from=127.0.0.1 by=scope -> 200"),
                (LogLevel.Information, "audit register - scope= from=127.0.0.1 by=anyone -> 401"),
                (LogLevel.Debug, "audit heartbeat service:a scope=s from=127.0.0.1 by=scope -> 200"),
            ],
            audits);
        Assert.DoesNotContain(Server.Logs.Lines, l => l.Message.Contains(Own, StringComparison.Ordinal));
    }

    [Fact]
    public void Without_tokens_everyone_may_do_everything()
    {
        Assert.True(AccessTokens.None.IsKnown(authorization: null));
        Assert.True(AccessTokens.None.Check(authorization: null, "s", write: true).Allowed);
    }

    [Fact]
    public void With_scope_tokens_only_the_unscoped_tenant_is_closed_for_writing()
    {
        var tokens = new AccessTokens(master: null, new Dictionary<string, string> { ["s"] = Own });
        Assert.False(tokens.Check($"Bearer {Own}", "", write: true).Allowed);
        Assert.True(tokens.Check(authorization: null, "", write: false).Allowed);
        Assert.True(tokens.Check($"bearer {Own}", "s", write: true).Allowed);
    }
}
