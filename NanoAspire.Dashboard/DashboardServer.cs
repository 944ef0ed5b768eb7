using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NanoAspire.Dashboard.Auth;
using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Pages;
using NanoAspire.Dashboard.Resources;
using NanoAspire.Dashboard.Server;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard;

/// <summary>
/// The dashboard: pages on one port, an OTLP/HTTP receiver on another, in the process of the application host.
/// Start it before the resources, so that <see cref="OtlpUrl"/> and <see cref="OtlpApiKey"/> can be put into their environment.
/// </summary>
public sealed class DashboardServer : IAsyncDisposable
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(2);

    private readonly DashboardOptions _options;
    private readonly IDashboardResources _resources;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger<DashboardServer> _logger;
    private readonly CancellationTokenSource _stopping = new();
    private WebApplication? _app;
    private Task _watching = Task.CompletedTask;
    private (string Ui, string Otlp)? _addresses;

    /// <summary>Secrets that <paramref name="options"/> leave open are generated here; nothing listens before <see cref="StartAsync"/>.</summary>
    public DashboardServer(DashboardOptions options, IDashboardResources resources, TimeProvider time, ILoggerFactory loggers)
    {
        (_options, _resources, _time, _loggers) = (options, resources, time, loggers);
        options.BrowserToken ??= Secrets.Generate();
        options.OtlpApiKey ??= Secrets.Generate();
        Store = new TelemetryStore(options);
        _logger = loggers.CreateLogger<DashboardServer>();
    }

    /// <summary>Address of the pages, without a slash at the end.</summary>
    /// <exception cref="InvalidOperationException">The server has not started.</exception>
    public string Url => Addresses.Ui;

    /// <summary>The address that signs the browser in; the only place where the token is told.</summary>
    public string LoginUrl => _options.AllowAnonymous ? Url : $"{Url}/login?t={Uri.EscapeDataString(_options.BrowserToken!)}";

    /// <summary>For <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, with protocol <c>http/protobuf</c>.</summary>
    public string OtlpUrl => Addresses.Otlp;

    /// <summary>For <c>OTEL_EXPORTER_OTLP_HEADERS</c>, as <c>x-otlp-api-key=…</c>.</summary>
    public string OtlpApiKey => _options.OtlpApiKey!;

    internal TelemetryStore Store { get; }

    internal DashboardContext Context => field ??= new DashboardContext(_options, Store, _resources, _time);

    private (string Ui, string Otlp) Addresses => _addresses ?? throw new InvalidOperationException("The dashboard has not started");

    /// <summary>Listens. A port that is taken is replaced by a free one, which the addresses tell.</summary>
    /// <exception cref="IOException">No port can be opened on the host asked for.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var (ui, otlp) = (FreeOrAny(_options.Port), FreeOrAny(_options.OtlpPort == _options.Port ? 0 : _options.OtlpPort));
        try
        {
            await ListenAsync(ui, otlp, cancellationToken);
        }
        catch (IOException failure) when ((ui, otlp) != (0, 0))
        {
            _logger.PortsLost(ui, otlp, failure);                                     // somebody was faster between the look and the bind
            await ListenAsync(0, 0, cancellationToken);
        }
        _watching = WatchResourcesAsync(_stopping.Token);
    }

    /// <summary>Ends open streams and stops listening, within two seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_app is not null)
        {
            await _app.StopAsync(CancellationToken.None);
            await _app.DisposeAsync();
        }
        await _watching;
        _stopping.Dispose();
    }

    private async Task ListenAsync(int uiPort, int otlpPort, CancellationToken cancellationToken)
    {
        // Empty: the host's own configuration (ASPNETCORE_URLS among it) must not reach this server.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = typeof(DashboardServer).Assembly.GetName().Name });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = _options.MaxRequestBytes;
            Listen(kestrel, uiPort);
            Listen(kestrel, otlpPort);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();                   // Ctrl+C is the application host's
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddProvider(new ForwardingLoggerProvider(_loggers));
        var app = builder.Build();
        var ports = new PortPolicy();
        new DashboardEndpoints(_options, Context, new BrowserSession(_options.BrowserToken!, _options.AllowAnonymous, _time), ports, _loggers.CreateLogger<DashboardEndpoints>(), _stopping.Token).Map(app);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
        _app = app;
        // In the order of the Listen calls, one or two (IPv4 and IPv6) addresses each.
        var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(address => new Uri(address.Replace("[::]", "localhost", StringComparison.Ordinal).Replace("0.0.0.0", "localhost", StringComparison.Ordinal)).Port).Distinct().ToList();
        (ports.Ui, ports.Otlp) = (bound[0], bound[^1]);
        var name = _options.Host is "*" or "0.0.0.0" or "[::]" or "127.0.0.1" ? "localhost" : _options.Host;
        _addresses = ($"http://{name}:{ports.Ui}", $"http://{name}:{ports.Otlp}");
    }

    private void Listen(KestrelServerOptions kestrel, int port)
    {
        if (_options.Host is "*" or "0.0.0.0" or "[::]") kestrel.ListenAnyIP(port);
        else if (IPAddress.TryParse(_options.Host, out var address)) kestrel.Listen(address, port);
        else if (port == 0) kestrel.Listen(IPAddress.Loopback, port);                  // one port on both loopbacks cannot be asked for
        else kestrel.ListenLocalhost(port);
    }

    private static int FreeOrAny(int port)
    {
        if (port == 0) return 0;
        try
        {
            using var probe = new TcpListener(IPAddress.Loopback, port);
            probe.Start();
            return port;
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private async Task WatchResourcesAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var _ in _resources.WatchAsync(cancellationToken)) Store.Changes.Changed(LiveTopics.Resources);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The dashboard closes.
        }
    }
}
