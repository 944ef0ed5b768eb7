using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Ctrl.Client.Tests;

/// <summary>A host as a service would build it, without a server of its own.</summary>
internal static class ClientHost
{
    public static IHost Build(Action<IServiceCollection> services)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        services(builder.Services);
        return builder.Build();
    }

    public static IHost Directory(string url, Action<CtrlClientOptions>? configure = null, TimeProvider? time = null) => Build(services =>
    {
        if (time is not null) services.AddSingleton(time);
        services.AddEngineDirectory(options =>
        {
            options.Address = url;
            options.Scope = "s";
            options.PollInterval = TimeSpan.FromMilliseconds(200);
            options.MaxRetryDelay = TimeSpan.FromMilliseconds(300);
            configure?.Invoke(options);
        });
    });

    public static IHost Registration(string url, Func<EngineDescriptor> describe, Action<CtrlClientOptions>? configure = null, TimeProvider? time = null) => Build(services =>
    {
        if (time is not null) services.AddSingleton(time);
        services.AddEngineRegistration(_ => describe(), options =>
        {
            options.Address = url;
            options.Scope = "s";
            options.MaxRetryDelay = TimeSpan.FromMilliseconds(300);
            configure?.Invoke(options);
        });
    });

    public static EngineDescriptor Engine(string id = "e1", int port = 8100, EngineRole role = EngineRole.Decode) =>
        new() { Id = id, Role = role, Url = $"http://127.0.0.1:{port}", Models = ["m1"], Incarnation = "i1" };
}
