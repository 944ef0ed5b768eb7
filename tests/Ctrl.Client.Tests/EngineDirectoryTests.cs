using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Ctrl.Client.Tests;

public sealed class EngineDirectoryTests
{
    [Fact]
    public async Task Registrations_changes_and_removals_are_pushed()
    {
        await using var server = await CtrlServer.StartAsync();
        using var host = ClientHost.Directory(server.Url, options =>
        {
            options.PollInterval = TimeSpan.FromHours(1);                    // so that nothing but the push can tell
            options.PushedPollInterval = TimeSpan.FromHours(1);
        });
        await host.StartAsync();
        var directory = host.Services.GetRequiredService<EngineDirectory>();
        await directory.WaitForFirstSnapshotAsync(default);
        Assert.Empty(directory.Current);

        var changes = 0;
        directory.Changed += () => Interlocked.Increment(ref changes);
        var token = directory.GetChangeToken();
        await RegisterAsync(server, "e1", 8100, "decode");
        await Eventually.TrueAsync(() => directory.Current is [{ Id: "e1", Role: EngineRole.Decode, Url: "http://127.0.0.1:8100" }], "the registration");
        Assert.True(token.HasChanged);
        Assert.False(directory.GetChangeToken().HasChanged);
        await RegisterAsync(server, "e1", 8100, "hybrid");
        await Eventually.TrueAsync(() => directory.Current is [{ Role: EngineRole.Hybrid }], "the changed role");
        await server.OkAsync("/unregister", """{"entity_id":"e1","scope":"s"}""");
        await Eventually.TrueAsync(() => directory.Current.IsEmpty, "the removal");
        Assert.Equal(3, changes);
        await host.StopAsync();
    }

    [Fact]
    public async Task Only_engines_of_the_scope_are_listed_and_each_kind_of_them()
    {
        await using var server = await CtrlServer.StartAsync();
        await RegisterAsync(server, "e1", 8100, "decode");
        await RegisterAsync(server, "e2", 8101, "prefill", kind: "nanodeploy");
        await RegisterAsync(server, "cache:0", 8765, "x", kind: "cache");
        await RegisterAsync(server, "e3", 8102, "decode", scope: "other");
        using var host = ClientHost.Directory(server.Url);
        await host.StartAsync();
        var directory = host.Services.GetRequiredService<EngineDirectory>();
        await directory.WaitForFirstSnapshotAsync(default);
        Assert.Equal(["e1", "e2"], directory.Current.Select(e => e.Id));
        await host.StopAsync();
    }

    [Fact]
    public async Task An_original_server_without_push_is_polled()
    {
        await using var original = await OriginalServer.StartAsync();
        original.Entities = OriginalServer.Entity("x", 8100);
        using var host = ClientHost.Directory(original.Url);
        await host.StartAsync();
        var directory = host.Services.GetRequiredService<EngineDirectory>();
        await directory.WaitForFirstSnapshotAsync(default);
        Assert.Equal(["m1", "/models/m1"], Assert.Single(directory.Current).Models);
        original.Entities = OriginalServer.Entity("x", 8100) + "," + OriginalServer.Entity("y", 8101);
        await Eventually.TrueAsync(() => directory.Current.Length == 2, "the second engine");
        original.Entities = "";
        await Eventually.TrueAsync(() => directory.Current.IsEmpty, "an empty list that was read well");
        await host.StopAsync();
    }

    [Fact]
    public async Task Whatever_others_register_the_directory_goes_on()
    {
        await using var original = await OriginalServer.StartAsync();
        const string head = """{"entity_id":"bad","kind":"dlengine","endpoint":{"host":"127.0.0.1","port":8100},"metadata":""";
        original.Entities = string.Join(',',
            "5", "null", "{}", """{"entity_id":5,"kind":"dlengine"}""", """{"entity_id":"\ud800","kind":"dlengine"}""",
            head + """{"role":"decode","role":"prefill"}}""", head + """{"a":{"b":1,"b":2}}}""", head + """{"served_model_name":"\ud800","models":["\ud800",7,{}],"role":"\udfff"}}""",
            head + "[]}", head + "7}", """{"entity_id":"bad2","kind":"dlengine","endpoint":{"host":"h","port":"\ud800"}}""", """{"entity_id":"bad3","kind":"dlengine","endpoint":{"host":"h","port":1e300}}""",
            OriginalServer.Entity("good", 8109));
        using var host = ClientHost.Directory(original.Url);
        await host.StartAsync();
        var directory = host.Services.GetRequiredService<EngineDirectory>();
        await directory.WaitForFirstSnapshotAsync(default).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains(directory.Current, e => e.Id == "good");
        Assert.All(directory.Current.Where(e => e.Id != "good"), e => Assert.Empty(e.Models));
        var asked = original.Lists;
        await Eventually.TrueAsync(() => original.Lists > asked + 1, "more polls");
        await host.StopAsync();
    }

    [Theory]
    [InlineData(500, "oops")]
    [InlineData(503, """{"status":"error"}""")]
    [InlineData(200, "not json")]
    [InlineData(200, """{"status":"error"}""")]
    public async Task A_list_that_cannot_be_read_changes_nothing(int status, string body)
    {
        await using var original = await OriginalServer.StartAsync();
        original.Entities = OriginalServer.Entity("x", 8100);
        using var host = ClientHost.Directory(original.Url);
        await host.StartAsync();
        var directory = host.Services.GetRequiredService<EngineDirectory>();
        await directory.WaitForFirstSnapshotAsync(default);
        original.Answer = (status, body);
        var asked = original.Lists;
        await Eventually.TrueAsync(() => original.Lists > asked + 2, "more polls");
        Assert.Single(directory.Current);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_control_plane_that_comes_back_without_memory_empties_nobodys_table()
    {
        var server = await CtrlServer.StartAsync();
        var port = new Uri(server.Url).Port;
        await RegisterAsync(server, "e1", 8100, "decode");
        await RegisterAsync(server, "e2", 8101, "decode");
        using var host = ClientHost.Directory(server.Url, options => options.ReturnGrace = TimeSpan.FromSeconds(2));
        await host.StartAsync();
        var directory = host.Services.GetRequiredService<EngineDirectory>();
        await directory.WaitForFirstSnapshotAsync(default);
        Assert.Equal(2, directory.Current.Length);
        await Eventually.TrueAsync(() => directory.IsPushed, "the stream, whose end tells of the restart");
        var emptied = false;
        directory.Changed += () => emptied |= directory.Current.IsEmpty;

        await server.DisposeAsync();
        await using var reborn = await CtrlServer.StartAsync(port: port);
        await RegisterAsync(reborn, "e1", 8100, "decode");
        await RegisterAsync(reborn, "e9", 8109, "decode");
        await Eventually.TrueAsync(() => directory.Current.Any(e => e.Id == "e9"), "the new engine");
        Assert.Equal(["e1", "e2", "e9"], directory.Current.Select(e => e.Id));
        await reborn.OkAsync("/unregister", """{"entity_id":"e1","scope":"s"}""");
        await Eventually.TrueAsync(() => directory.Current.All(e => e.Id != "e1"), "an engine seen again may leave at once");
        await Eventually.TrueAsync(() => directory.Current.Select(e => e.Id).SequenceEqual(["e9"]), "the one that never came back is dropped after the grace");
        Assert.False(emptied);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_first_snapshot_waits_for_a_control_plane_that_starts_late()
    {
        var probe = await CtrlServer.StartAsync();
        var port = new Uri(probe.Url).Port;
        await probe.DisposeAsync();
        using var host = ClientHost.Directory($"127.0.0.1:{port}");
        await host.StartAsync();
        var directory = host.Services.GetRequiredService<EngineDirectory>();
        var first = directory.WaitForFirstSnapshotAsync(default);
        await Task.Delay(400);
        Assert.False(first.IsCompleted);
        await using var server = await CtrlServer.StartAsync(port: port);
        await first.WaitAsync(TimeSpan.FromSeconds(30));
        await host.StopAsync();
    }

    [Fact]
    public void Two_records_of_one_url_are_one_engine_and_the_later_start_counts()
    {
        var table = new EngineTable(TimeSpan.FromSeconds(20), new ManualTime());
        ListedEngine Listed(string id, long startedAt) => new(ClientHost.Engine(id), startedAt);
        Assert.Equal("old", Assert.Single(table.Apply([Listed("old", 1)], outage: false)).Id);
        Assert.Equal("new", Assert.Single(table.Apply([Listed("old", 1), Listed("new", 2)], outage: false)).Id);
        Assert.Equal("new", Assert.Single(table.Apply([Listed("new", 2), Listed("old", 1)], outage: false)).Id);
        Assert.Equal("z-unknown-before", Assert.Single(table.Apply([Listed("new", 0), Listed("z-unknown-before", 0)], outage: false)).Id);
        Assert.Equal("a-unknown-before", Assert.Single(table.Apply([Listed("z-unknown-before", 0), Listed("a-unknown-before", 0)], outage: false)).Id);
    }

    [Fact]
    public void After_an_outage_missing_engines_stay_until_the_grace_ends()
    {
        var time = new ManualTime();
        var table = new EngineTable(TimeSpan.FromSeconds(20), time);
        ImmutableArray<EngineDescriptor> Apply(bool outage, params string[] ids) =>
            table.Apply([.. ids.Select(id => new ListedEngine(ClientHost.Engine(id, 8000 + id[0]), 0))], outage);
        Apply(outage: false, "a", "b");
        Assert.Equal(2, Apply(outage: true).Length);
        Assert.Equal(TimeSpan.FromSeconds(20), table.PendingIn);
        time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(["a", "b"], Apply(outage: false, "a").Select(e => e.Id));
        Assert.Equal(["b"], Apply(outage: false).Select(e => e.Id));
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.Empty(Apply(outage: false));
        Assert.Null(table.PendingIn);
    }

    private static Task<System.Text.Json.JsonElement> RegisterAsync(CtrlServer server, string id, int port, string role, string kind = "dlengine", string scope = "s") =>
        server.OkAsync("/register", $$$"""{"entity_id":"{{{id}}}","kind":"{{{kind}}}","scope":"{{{scope}}}","endpoint":{"host":"127.0.0.1","port":{{{port}}},"protocol":"http"},"metadata":{"served_model_name":"m1","role":"{{{role}}}"}}""");
}
