using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NanoAspire.Ctrl.Client;
using NanoAspire.Protocol.Wire;

namespace Microsoft.Extensions.DependencyInjection;

public static class CtrlClientServiceCollectionExtensions
{
    /// <summary>Adds <see cref="CtrlClient"/> on the named HTTP client <c>ctrl</c>. May be called more than once.</summary>
    public static IServiceCollection AddCtrlClient(this IServiceCollection services, Action<CtrlClientOptions>? configure = null)
    {
        if (configure is not null) services.Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<CtrlClient>();
        services.AddHttpClient(CtrlClient.HttpClientName)
            .ConfigureHttpClient(http => http.Timeout = Timeout.InfiniteTimeSpan)   // calls bring their own limits, watches have none
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                UseProxy = false,
                ConnectTimeout = TimeSpan.FromSeconds(2),
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            });
        return services;
    }

    /// <summary>Keeps this process's engine registered while the host runs; <see cref="EngineRegistration"/> can then be injected.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="describe">Called once, when the server listens: its addresses are known then.</param>
    /// <param name="configure">Where the control plane is.</param>
    public static IServiceCollection AddEngineRegistration(this IServiceCollection services, Func<IServiceProvider, EngineDescriptor> describe, Action<CtrlClientOptions>? configure = null)
    {
        services.AddCtrlClient(configure);
        services.TryAddSingleton(provider => new EngineRegistration(
            provider.GetRequiredService<CtrlClient>(), provider.GetRequiredService<IOptions<CtrlClientOptions>>(), () => describe(provider),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<EngineRegistration>>(), provider.GetService<IHostApplicationLifetime>()));
        return services.AddHostedService(provider => provider.GetRequiredService<EngineRegistration>());
    }

    /// <summary>Follows the engines of the control plane while the host runs; <see cref="EngineDirectory"/> can then be injected.</summary>
    public static IServiceCollection AddEngineDirectory(this IServiceCollection services, Action<CtrlClientOptions>? configure = null)
    {
        services.AddCtrlClient(configure);
        services.TryAddSingleton<EngineDirectory>();
        return services.AddHostedService(provider => provider.GetRequiredService<EngineDirectory>());
    }
}
