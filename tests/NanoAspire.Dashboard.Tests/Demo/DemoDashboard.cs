using Microsoft.Extensions.Logging.Abstractions;

namespace NanoAspire.Dashboard.Tests.Demo;

/// <summary>A running dashboard over a made-up cluster, on free ports.</summary>
internal sealed class DemoDashboard : IAsyncDisposable
{
    private DemoDashboard(DashboardServer server, FakeResources resources, FixedTime time, DemoTelemetry? telemetry) =>
        (Server, Resources, Time, Telemetry) = (server, resources, time, telemetry!);

    public DashboardServer Server { get; }
    public FakeResources Resources { get; }
    public FixedTime Time { get; }
    public DemoTelemetry Telemetry { get; }

    public static async Task<DemoDashboard> StartAsync(bool filled = true, Action<DashboardOptions>? configure = null)
    {
        var time = new FixedTime(FixedTime.Noon);
        var resources = filled ? DemoResources.Create(FixedTime.Noon) : new FakeResources();
        var options = new DashboardOptions { Port = 0, OtlpPort = 0, BrowserToken = "t0ken", OtlpApiKey = "otlp-key" };
        configure?.Invoke(options);
        var server = new DashboardServer(options, resources, time, NullLoggerFactory.Instance);
        await server.StartAsync(TestContext.Current.CancellationToken);
        return new DemoDashboard(server, resources, time, filled ? DemoTelemetry.Fill(server.Store, FixedTime.Noon) : null);
    }

    /// <summary>A client that is signed in.</summary>
    public async Task<HttpClient> SignInAsync()
    {
        var client = new HttpClient { BaseAddress = new Uri(Server.Url) };
        (await client.GetAsync(Server.LoginUrl)).EnsureSuccessStatusCode();
        return client;
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
