using NanoAspire.Ctrl.Api;
using NanoAspire.Ctrl.Health;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl;

/// <summary>The service: what it registers and which routes it serves.</summary>
internal static class CtrlApp
{
    /// <summary>Opens the store the options ask for.</summary>
    /// <exception cref="StoreUnavailableException">Redis did not answer.</exception>
    public static async Task<ICtrlStore> OpenStoreAsync(CtrlOptions options, TimeProvider time, ILogger logger, CancellationToken ct) => options.Redis is { } redis
        ? await RedisStore.ConnectAsync(redis, IRegistryStore.Lease, options.RedisTimeout, time, logger, ct)
        : new EmbeddedStore(time);

    public static WebApplicationBuilder AddCtrl(this WebApplicationBuilder builder, CtrlOptions options, ICtrlStore store, TimeProvider time)
    {
        builder.AddServiceDefaults();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = BodyReader.MaxDiscardedBytes;   // the limit that counts is the reader's
            kestrel.AddServerHeader = false;
        });
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(store);
        builder.Services.AddSingleton<WatchSlots>();
        builder.Services.AddSingleton<RedisDirections>();
        builder.Services.AddHealthChecks().AddCheck<StoreHealthCheck>("store");
        builder.Services.AddHostedService<LeaseSweeper>();
        return builder;
    }

    public static WebApplication MapCtrl(this WebApplication app)
    {
        app.MapRootAndReadiness();
        app.MapEngines();
        app.MapEntities();
        app.MapAgents();
        app.MapMemoryRegions();
        app.MapMailboxes();
        app.MapPeerReports();
        app.MapRedisAddress();
        app.MapWatch();
        app.MapDefaultEndpoints();
        return app;
    }
}
