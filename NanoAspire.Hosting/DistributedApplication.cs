using System.Reflection;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NanoAspire.Hosting.Run;
using NanoAspire.Hosting.Testing;

namespace Aspire.Hosting;

/// <summary>A built application: run it, or start and stop it.</summary>
public class DistributedApplication : IHost, IAsyncDisposable
{
    private readonly IHost _host;
    private readonly EntryPointInterceptor? _interceptor;
    private bool _prepared;

    public DistributedApplication(IHost host) : this(host, interceptor: null)
    {
    }

    internal DistributedApplication(IHost host, EntryPointInterceptor? interceptor)
    {
        ArgumentNullException.ThrowIfNull(host);
        _host = host;
        _interceptor = interceptor;
    }

    public IServiceProvider Services => _host.Services;
    public ResourceNotificationService ResourceNotifications => Services.GetRequiredService<ResourceNotificationService>();
    public ResourceCommandService ResourceCommands => Services.GetRequiredService<ResourceCommandService>();

    public static IDistributedApplicationBuilder CreateBuilder() => CreateBuilder([]);
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new DistributedApplicationBuilder(args);
    public static IDistributedApplicationBuilder CreateBuilder(DistributedApplicationOptions options) => new DistributedApplicationBuilder(options);

    /// <summary>Runs until Ctrl+C, SIGTERM or <see cref="IHostApplicationLifetime.StopApplication"/>.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <inheritdoc cref="Run"/>
    public virtual async Task RunAsync(CancellationToken cancellationToken = default)
    {
        if (_interceptor is not null)
        {
            await _interceptor.RunAsync(this, cancellationToken).ConfigureAwait(false);      // a test starts and disposes it
            return;
        }
        await PrepareAsync(cancellationToken).ConfigureAwait(false);
        await _host.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    public virtual async Task StartAsync(CancellationToken cancellationToken = default)
    {
        await PrepareAsync(cancellationToken).ConfigureAwait(false);
        await _host.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public virtual Task StopAsync(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken);

    public virtual void Dispose()
    {
        _host.Dispose();
        GC.SuppressFinalize(this);
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (_host is IAsyncDisposable host) await host.DisposeAsync().ConfigureAwait(false);
        else _host.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Subscribers first, then the last chance to change the model; the host starts after that.</summary>
    private async Task PrepareAsync(CancellationToken ct)
    {
        if (_prepared) return;
        _prepared = true;
        var execution = Services.GetRequiredService<DistributedApplicationExecutionContext>();
        var eventing = Services.GetRequiredService<IDistributedApplicationEventing>();
        if (execution.IsRunMode)
        {
            var logger = Services.GetRequiredService<ILogger<DistributedApplication>>();
            Log.Version(logger, typeof(DistributedApplication).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown");
            Log.Starting(logger);
            Log.HostDirectory(logger, Services.GetRequiredService<Microsoft.Extensions.Configuration.IConfiguration>()["AppHost:Directory"] ?? "");
        }
        foreach (var subscriber in Services.GetServices<IDistributedApplicationEventingSubscriber>()) await subscriber.SubscribeAsync(eventing, execution, ct).ConfigureAwait(false);
        await eventing.PublishAsync(new BeforeStartEvent(Services, Services.GetRequiredService<DistributedApplicationModel>()), ct).ConfigureAwait(false);
    }
}
