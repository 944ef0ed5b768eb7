using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NanoAspire.Dashboard;
using NanoAspire.Hosting.Model;

namespace NanoAspire.Hosting.Run;

/// <summary>
/// Starts the dashboard before any resource and writes its addresses into the configuration, where <see cref="OtlpTarget"/> finds them.
/// A dashboard that cannot listen is a warning: the application runs without.
/// </summary>
internal sealed class DashboardService(DashboardResources resources, IConfiguration configuration, TimeProvider time,
    ILoggerFactory loggers, ILogger<DistributedApplication> logger) : IHostedService, IAsyncDisposable
{
    private DashboardServer? _server;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var settings = Settings();
        var server = new DashboardServer(settings, resources, time, loggers);
        try
        {
            await server.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            Log.NoDashboard(logger, e.Message);
            await server.DisposeAsync().ConfigureAwait(false);
            return;
        }
        _server = server;
        if (settings.Port != 0 && new Uri(server.Url).Port != settings.Port) Log.DashboardMoved(logger, settings.Port, server.Url);
        configuration["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = server.OtlpUrl;
        configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = server.OtlpGrpcUrl;
        configuration["AppHost:OtlpApiKey"] = settings.AllowAnonymous ? null : server.OtlpApiKey;
        configuration["AppHost:DashboardLoginUrl"] = server.LoginUrl;
        configuration[OtlpTarget.DashboardListensKey] = "true";
        Log.DashboardListens(logger, server.Url);
        Log.DashboardLogin(logger, server.LoginUrl);
    }

    public Task StopAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _server, null) is { } server) await server.DisposeAsync().ConfigureAwait(false);
    }

    private static string TitleOf(string? application) =>
        application is null ? "NanoAspire" : application.EndsWith(".AppHost", StringComparison.Ordinal) ? application[..^".AppHost".Length] : application;

    private DashboardOptions Settings()
    {
        var settings = new DashboardOptions
        {
            ApplicationName = TitleOf(configuration["AppHost:DashboardApplicationName"]),
            BrowserToken = configuration["AppHost:BrowserToken"],
            OtlpApiKey = configuration["AppHost:OtlpApiKey"],
            AllowAnonymous = (configuration["ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] ?? configuration["DOTNET_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"]) == "true",
        };
        if (First(configuration["ASPNETCORE_URLS"]) is { } pages) (settings.Host, settings.Port) = (pages.Host, pages.Port);
        if (First(configuration["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] ?? configuration["DOTNET_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"]) is { } http) settings.OtlpPort = http.Port;
        if (First(configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] ?? configuration["DOTNET_DASHBOARD_OTLP_ENDPOINT_URL"]) is { } grpc) settings.OtlpGrpcPort = grpc.Port;
        // Tests run side by side with each other and with a developer's own application.
        if (string.Equals(configuration["DcpPublisher:RandomizePorts"], "true", StringComparison.OrdinalIgnoreCase))
        {
            (settings.Port, settings.OtlpPort) = (0, 0);
            if (settings.OtlpGrpcPort is not null) settings.OtlpGrpcPort = 0;
        }
        return settings;
    }

    /// <summary>Of several addresses the first http one; <c>+</c> and <c>*</c> stand for every interface.</summary>
    private static (string Host, int Port)? First(string? urls)
    {
        foreach (var url in (urls ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var any = url.Contains("://+", StringComparison.Ordinal) || url.Contains("://*", StringComparison.Ordinal);
            var text = any ? url.Replace("://+", "://localhost", StringComparison.Ordinal).Replace("://*", "://localhost", StringComparison.Ordinal) : url;
            if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp) return (any ? "*" : uri.Host, uri.Port);
        }
        return null;
    }
}
