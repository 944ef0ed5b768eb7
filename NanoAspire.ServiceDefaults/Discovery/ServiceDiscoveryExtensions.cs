using Microsoft.Extensions.DependencyInjection.Extensions;
using NanoAspire.ServiceDefaults.Discovery;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Logical addresses such as <c>http://ctrl</c> for HTTP clients.</summary>
public static class ServiceDiscoveryExtensions
{
    /// <summary>Registers the resolver of <c>services__{name}__{endpoint}__{n}</c>.</summary>
    public static IServiceCollection AddServiceDiscovery(this IServiceCollection services)
    {
        services.TryAddSingleton<ServiceEndpointResolver>();
        return services;
    }

    /// <summary>This client resolves logical addresses; doing it twice changes nothing.</summary>
    public static IHttpClientBuilder AddServiceDiscovery(this IHttpClientBuilder builder)
    {
        builder.Services.AddServiceDiscovery();
        return builder.ConfigureAdditionalHttpMessageHandlers(static (handlers, services) =>
        {
            if (!handlers.OfType<ServiceDiscoveryHandler>().Any())
                handlers.Add(new ServiceDiscoveryHandler(services.GetRequiredService<ServiceEndpointResolver>()));
        });
    }
}
