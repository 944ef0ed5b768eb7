using System.Globalization;
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
    private const int MaxConnections = 512;
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(2);

    private readonly DashboardOptions _options;
    private readonly IDashboardResources _resources;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger<DashboardServer> _logger;
    private readonly CancellationTokenSource _stopping = new();
    private WebApplication? _app;
    private Task _watching = Task.CompletedTask;
    private (string Ui, string Otlp, string? Grpc)? _addresses;

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

    /// <summary>As <see cref="OtlpUrl"/>, with protocol <c>grpc</c>; null unless <see cref="DashboardOptions.OtlpGrpcPort"/> is set.</summary>
    public string? OtlpGrpcUrl => Addresses.Grpc;

    /// <summary>For <c>OTEL_EXPORTER_OTLP_HEADERS</c>, as <c>x-otlp-api-key=…</c>.</summary>
    public string OtlpApiKey => _options.OtlpApiKey!;

    internal TelemetryStore Store { get; }

    internal DashboardContext Context => field ??= new DashboardContext(_options, Store, _resources, _time);

    private (string Ui, string Otlp, string? Grpc) Addresses => _addresses ?? throw new InvalidOperationException("The dashboard has not started");

    /// <summary>Listens. A port that is taken is replaced by a free one, which the addresses tell.</summary>
    /// <exception cref="IOException">No port can be opened on the host asked for.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var taken = new HashSet<int>();
        var (ui, otlp) = (FreeOrAny(_options.Port, taken), FreeOrAny(_options.OtlpPort, taken));
        int? grpc = _options.OtlpGrpcPort is { } port ? FreeOrAny(port, taken) : null;
        try
        {
            await ListenAsync(ui, otlp, grpc, cancellationToken);
        }
        catch (IOException failure) when (taken.Count > 0)
        {
            _logger.PortsLost(failure);                                               // somebody was faster between the look and the bind
            await ListenAsync(0, 0, grpc is null ? null : 0, cancellationToken);
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

    private async Task ListenAsync(int uiPort, int otlpPort, int? grpcPort, CancellationToken cancellationToken)
    {
        // Empty: the host's own configuration (ASPNETCORE_URLS among it) must not reach this server.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = typeof(DashboardServer).Assembly.GetName().Name });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = _options.MaxRequestBytes;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            Listen(kestrel, uiPort, HttpProtocols.Http1);
            Listen(kestrel, otlpPort, HttpProtocols.Http1);
            if (grpcPort is { } port) Listen(kestrel, port, HttpProtocols.Http2);
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
        // In the order of the Listen calls.
        var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Select(address => address[(address.LastIndexOf(':') + 1)..]).ToList();
        ports.Ui = int.Parse(bound[0], CultureInfo.InvariantCulture);
        var name = _options.Host is "*" or "0.0.0.0" or "[::]" or "127.0.0.1" ? "localhost" : _options.Host;
        _addresses = ($"http://{name}:{bound[0]}", $"http://{name}:{bound[1]}", grpcPort is null ? null : $"http://{name}:{bound[2]}");
    }

    private void Listen(KestrelServerOptions kestrel, int port, HttpProtocols protocols)
    {
        void Configure(ListenOptions listen) => listen.Protocols = protocols;
        if (_options.Host is "*" or "0.0.0.0" or "[::]") kestrel.ListenAnyIP(port, Configure);
        else if (IPAddress.TryParse(_options.Host, out var address)) kestrel.Listen(address, port, Configure);
        else if (port == 0) kestrel.Listen(IPAddress.Loopback, port, Configure);       // one port on both loopbacks cannot be asked for
        else kestrel.ListenLocalhost(port, Configure);
    }

    /// <summary>The port, unless it is 0, given out already or in use: then 0.</summary>
    private static int FreeOrAny(int port, HashSet<int> taken)
    {
        if (port == 0 || !taken.Add(port)) return 0;
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
