using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NanoAspire.Dashboard;
using NanoAspire.Hosting.Model;

namespace NanoAspire.Hosting.Run;

/// <summary>The dashboard in the host's own process. Starts before the resources, so that their telemetry finds it; stops after them.</summary>
internal sealed class DashboardService(DistributedApplicationModel model, ResourceNotificationService notifications, ResourceLoggerService logs, ResourceCommandService commands,
    IConfiguration configuration, TimeProvider time, ILoggerFactory loggers, ILogger<DistributedApplication> logger) : IHostedService, IAsyncDisposable
{
    private const int DefaultPort = 18888;

    private DashboardServer? _server;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _server = new DashboardServer(
            new DashboardOptions
            {
                ApplicationName = TitleOf(configuration["AppHost:DashboardApplicationName"]),
                Port = PortOf(configuration["ASPNETCORE_URLS"]) ?? DefaultPort,
                BrowserToken = configuration["AppHost:BrowserToken"],
                OtlpApiKey = configuration["AppHost:OtlpApiKey"],
                AllowAnonymous = configuration["ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] is "true",
            },
            new DashboardResources(model, notifications, logs, commands), time, loggers);
        await _server.StartAsync(cancellationToken).ConfigureAwait(false);
        configuration["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = _server.OtlpUrl;
        configuration["AppHost:DashboardLoginUrl"] = _server.LoginUrl;
        configuration[OtlpTarget.DashboardListensKey] = "true";
        Log.DashboardListens(logger, _server.Url);
        Log.DashboardLogin(logger, _server.LoginUrl);
    }

    public Task StopAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _server, null) is { } server) await server.DisposeAsync().ConfigureAwait(false);
    }

    private static string TitleOf(string? application) =>
        application is null ? "NanoAspire" : application.EndsWith(".AppHost", StringComparison.Ordinal) ? application[..^".AppHost".Length] : application;

    private static int? PortOf(string? urls) =>
        Uri.TryCreate(urls?.Split(';')[0], UriKind.Absolute, out var url) ? url.Port : null;
}
