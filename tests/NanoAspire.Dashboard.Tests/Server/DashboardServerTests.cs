using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Dashboard.Tests.Demo;

namespace NanoAspire.Dashboard.Tests.Server;

public sealed class DashboardServerTests
{
    [Fact]
    public async Task Ports_that_are_taken_are_replaced()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var dashboard = await DemoDashboard.StartAsync(filled: false, options => (options.Port, options.OtlpPort) = (port, port));
        Assert.NotEqual(port, new Uri(dashboard.Server.Url).Port);
        Assert.NotEqual(new Uri(dashboard.Server.Url).Port, new Uri(dashboard.Server.OtlpUrl).Port);
        using var client = await dashboard.SignInAsync();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task A_port_asked_for_is_taken()
    {
        int port;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }
        await using var dashboard = await DemoDashboard.StartAsync(filled: false, options => options.Port = port);
        Assert.Equal($"http://localhost:{port}", dashboard.Server.Url);
        Assert.NotEqual(port, new Uri(dashboard.Server.OtlpUrl).Port);
    }

    [Fact]
    public async Task Open_streams_do_not_hold_up_the_end()
    {
        var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        await using var live = await client.GetStreamAsync("/live");
        await using var console = await client.GetStreamAsync("/consolelogs/stream");
        await dashboard.DisposeAsync();
        using var reader = new StreamReader(live);
        await reader.ReadToEndAsync(TestContext.Current.CancellationToken);            // it ends
    }

    [Fact]
    public void Secrets_left_open_are_made_and_addresses_are_unknown_before_the_start()
    {
        var options = new DashboardOptions();
        var server = new DashboardServer(options, new FakeResources(), TimeProvider.System, NullLoggerFactory.Instance);
        Assert.Equal((32, 32), (options.BrowserToken!.Length, server.OtlpApiKey.Length));
        Assert.NotEqual(options.BrowserToken, server.OtlpApiKey);
        Assert.Throws<InvalidOperationException>(() => server.Url);
    }
}
