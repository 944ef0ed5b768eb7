using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NanoAspire.Ctrl.Store;
using NanoAspire.Ctrl.Tests.Support;

namespace NanoAspire.Ctrl.Client.Tests;

public sealed class EngineRegistrationTests
{
    [Fact]
    public async Task An_engine_is_registered_as_the_contract_says_and_unregistered_at_the_end()
    {
        await using var server = await CtrlServer.StartAsync();
        using var host = ClientHost.Registration(server.Url, () => ClientHost.Engine());
        await host.StartAsync();
        await Eventually.TrueAsync(() => FindAsync(server, "e1", e => e.GetProperty("metadata").GetProperty("state").GetString() == "ready"), "the registration");
        var entity = JsonElement.Parse((await server.Store.FindAsync("s", Names.Service, "e1", default))!);
        Assert.Equal("dlengine", entity.GetProperty("kind").GetString());
        Assert.Equal("""{"host":"127.0.0.1","port":8100,"protocol":"http"}""", entity.GetProperty("endpoint").GetRawText());
        var metadata = entity.GetProperty("metadata");
        Assert.Equal(("m1", "m1", "decode", "127.0.0.1", 8100, "e1", "i1"),
            (metadata.GetProperty("served_model_name").GetString(), metadata.GetProperty("model_path").GetString(), metadata.GetProperty("role").GetString(), metadata.GetProperty("host").GetString(),
                metadata.GetProperty("port").GetInt32(), metadata.GetProperty("engine_id").GetString(), metadata.GetProperty("incarnation").GetString()));
        await host.StopAsync();
        Assert.Null(await server.Store.FindAsync("s", Names.Service, "e1", default));
    }

    [Fact]
    public async Task Heartbeats_keep_the_lease_and_an_engine_that_was_forgotten_registers_again()
    {
        var time = new ManualTime();
        await using var server = await CtrlServer.StartAsync(time: time);
        using var host = ClientHost.Registration(server.Url, () => ClientHost.Engine(), options => options.CallTimeout = TimeSpan.FromHours(1), time);
        await host.StartAsync();
        var registration = host.Services.GetRequiredService<EngineRegistration>();
        await Eventually.TrueAsync(() => registration.IsRegistered, "the registration");
        for (var beat = 1; beat <= 8; beat++)
        {
            var heard = Heartbeats(server);
            await Eventually.TrueAsync(() =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Heartbeats(server) > heard;
            }, $"heartbeat {beat}");
        }
        Assert.Equal(1, await server.Store.RevisionAsync("s", Names.Service, default));

        await server.Store.UnregisterAsync("s", Names.Service, "e1", leaseId: null, default);
        await Eventually.TrueAsync(async () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return await server.Store.FindAsync("s", Names.Service, "e1", default) is not null;
        }, "the new registration");
        await host.StopAsync();
    }

    [Fact]
    public async Task A_changed_state_is_published_without_waiting_for_a_heartbeat()
    {
        await using var server = await CtrlServer.StartAsync();
        using var host = ClientHost.Registration(server.Url, () => ClientHost.Engine(), options => options.HeartbeatInterval = TimeSpan.FromHours(1));
        await host.StartAsync();
        var registration = host.Services.GetRequiredService<EngineRegistration>();
        await Eventually.TrueAsync(() => registration.IsRegistered, "the registration");
        registration.Update(ClientHost.Engine() with { Draining = true });
        await Eventually.TrueAsync(() => FindAsync(server, "e1", e => e.GetProperty("metadata").GetProperty("state").GetString() == "draining"), "draining");
        registration.Update(ClientHost.Engine("e2"));
        await Eventually.TrueAsync(() => FindAsync(server, "e2", _ => true), "the new id");
        Assert.Null(await server.Store.FindAsync("s", Names.Service, "e1", default));
        await host.StopAsync();
    }

    [Fact]
    public async Task A_control_plane_that_is_away_never_stops_the_host_and_is_found_when_it_comes()
    {
        var probe = await CtrlServer.StartAsync();
        var port = new Uri(probe.Url).Port;
        await probe.DisposeAsync();
        using var host = ClientHost.Registration($"127.0.0.1:{port}", () => ClientHost.Engine(), options => options.HeartbeatInterval = TimeSpan.FromMilliseconds(100));
        await host.StartAsync();
        await Task.Delay(500);
        Assert.False(host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
        var first = await CtrlServer.StartAsync(port: port);
        await Eventually.TrueAsync(() => FindAsync(first, "e1", _ => true), "the first registration");
        await first.DisposeAsync();
        await using var second = await CtrlServer.StartAsync(port: port);
        await Eventually.TrueAsync(() => FindAsync(second, "e1", _ => true), "the registration after a restart that forgot it");
        await host.StopAsync();
    }

    [Fact]
    public async Task A_process_that_ends_late_does_not_unregister_its_successor()
    {
        await using var server = await CtrlServer.StartAsync();
        using var old = ClientHost.Registration(server.Url, () => ClientHost.Engine());
        await old.StartAsync();
        await Eventually.TrueAsync(() => FindAsync(server, "e1", _ => true), "the old one");
        using var successor = ClientHost.Registration(server.Url, () => ClientHost.Engine() with { Incarnation = "i2" });
        await successor.StartAsync();
        await Eventually.TrueAsync(() => FindAsync(server, "e1", e => e.GetProperty("metadata").GetProperty("incarnation").GetString() == "i2"), "the successor");
        await old.StopAsync();
        Assert.NotNull(await server.Store.FindAsync("s", Names.Service, "e1", default));
        await successor.StopAsync();
    }

    private static int Heartbeats(CtrlServer server) => server.Logs.Lines.Count(l => l.Message.StartsWith("audit heartbeat service:e1", StringComparison.Ordinal) && l.Message.EndsWith("200", StringComparison.Ordinal));

    private static async Task<bool> FindAsync(CtrlServer server, string id, Func<JsonElement, bool> check) =>
        await server.Store.FindAsync("s", Names.Service, id, default) is { } info && check(JsonElement.Parse(info));
}
