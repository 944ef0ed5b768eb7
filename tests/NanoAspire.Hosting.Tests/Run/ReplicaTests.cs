using System.Net.Sockets;
using System.Text;

namespace NanoAspire.Hosting.Tests.Run;

public sealed class ReplicaTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Replicas_share_one_address_and_survive_the_loss_of_one()
    {
        var builder = SampleProcesses.NewApplication();
        var web = builder.AddSample("web").WithReplicas(2).Checked().WithHttpEndpoint(name: "second", env: "SECOND_PORT");
        builder.AddSample("user").WithReference(web).WaitFor(web).Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("user", Ct);

        var pids = new HashSet<int>();
        var ids = new HashSet<string>();
        for (var i = 0; i < 40 && pids.Count < 2; i++)
        {
            // A connection each: they are what is spread, not requests. An open one keeps its replica busier than the other.
            using var client = new HttpClient { BaseAddress = app.GetEndpoint("web") };
            pids.Add(int.Parse(await client.GetStringAsync("/pid", Ct), System.Globalization.CultureInfo.InvariantCulture));
            using var other = new HttpClient { BaseAddress = app.GetEndpoint("web") };
            pids.Add(int.Parse(await other.GetStringAsync("/pid", Ct), System.Globalization.CultureInfo.InvariantCulture));
        }
        Assert.Equal(2, pids.Count);
        await foreach (var e in app.ResourceNotifications.WatchAsync(Ct))
        {
            if (e.Resource.Name == "web") ids.Add(e.ResourceId);
            if (ids.Count == 2) break;
        }
        Assert.All(ids, id => Assert.Matches("^web-[a-z]{8}$", id));
        Assert.Equal(app.GetEndpoint("web").ToString().TrimEnd('/'), (await app.EnvironmentOfAsync("user"))["services__web__http__0"]);

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync(ids.First(), KnownResourceCommands.StopCommand, Ct)).Success);
        var left = Assert.Single(pids, SampleProcesses.IsAlive);
        for (var i = 0; i < 5; i++)
        {
            using var client = new HttpClient { BaseAddress = app.GetEndpoint("web") };
            Assert.Equal(left, int.Parse(await client.GetStringAsync("/pid", Ct), System.Globalization.CultureInfo.InvariantCulture));
        }
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("web", KnownResourceCommands.StopCommand, Ct)).Success);
        using var refused = new HttpClient { BaseAddress = app.GetEndpoint("web") };
        await Assert.ThrowsAsync<HttpRequestException>(() => refused.GetStringAsync("/pid", Ct));
    }

    [Fact]
    public async Task Each_replica_has_ports_and_an_instance_of_its_own()
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddSample("web").WithReplicas(2).Checked().WithHttpEndpoint(name: "second", env: "SECOND_PORT");
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        var seen = new Dictionary<string, CustomResourceSnapshot>();
        await foreach (var e in app.ResourceNotifications.WatchAsync(Ct))
        {
            if (e.Snapshot.State?.Text == KnownResourceStates.Running) seen[e.ResourceId] = e.Snapshot;
            if (seen.Count == 2) break;
        }
        string Variable(CustomResourceSnapshot s, string name) => s.EnvironmentVariables.Single(v => v.Name == name).Value!;
        Assert.Equal(2, seen.Values.Select(s => Variable(s, "SECOND_PORT")).Distinct().Count());
        Assert.Equal(2, seen.Values.Select(s => Variable(s, "ASPNETCORE_URLS")).Distinct().Count());
        Assert.All(seen, s => Assert.Equal($"service.instance.id={s.Key[^8..]}", Variable(s.Value, "OTEL_RESOURCE_ATTRIBUTES")));
    }

    [Fact]
    public async Task The_proxy_passes_a_half_closed_connection_on_and_what_comes_back_after_it()
    {
        using var server = new TcpListener(System.Net.IPAddress.Loopback, 0);
        server.Start();
        using var reservation = NanoAspire.Hosting.Run.PortReservation.Any("localhost");
        await using var proxy = NanoAspire.Hosting.Run.TcpProxy.Start("localhost", reservation);
        proxy.Add(((System.Net.IPEndPoint)server.LocalEndpoint).Port);
        using var client = new TcpClient();
        await client.ConnectAsync("localhost", proxy.Port, Ct);
        var stream = client.GetStream();
        await stream.WriteAsync("all of it"u8.ToArray(), Ct);
        client.Client.Shutdown(SocketShutdown.Send);

        using var accepted = await server.AcceptTcpClientAsync(Ct);
        using var reader = new StreamReader(accepted.GetStream(), Encoding.UTF8, leaveOpen: true);
        Assert.Equal("all of it", await reader.ReadToEndAsync(Ct));
        await reader.BaseStream.WriteAsync(new byte[300_000], Ct);
        accepted.Client.Shutdown(SocketShutdown.Send);
        using var received = new MemoryStream();
        await stream.CopyToAsync(received, Ct);
        Assert.Equal(300_000, received.Length);
    }
}
