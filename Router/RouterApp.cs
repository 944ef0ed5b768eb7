using NanoAspire.Router.Admission;
using NanoAspire.Router.Api;
using NanoAspire.Router.Images;
using NanoAspire.Router.Leases;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Policies;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Stages;

namespace NanoAspire.Router;

/// <summary>Puts the router together.</summary>
internal static class RouterApp
{
    private const int DefaultPort = 8080;

    /// <summary>The whole application, not started; tests add what they need to watch it.</summary>
    public static WebApplication Build(RouterOptions options, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddServiceDefaults();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;   // ours is checked where it can be answered in OpenAI's form
        });
        if (ListenUrl(options, builder.Configuration) is { } url) builder.WebHost.UseUrls(url);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTimeout + TimeSpan.FromSeconds(10));

        AddServices(builder.Services, options);
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseMiddleware<RequestIdMiddleware>();
        app.MapDefaultEndpoints();
        app.MapGet("/ready", static (NodeTable table) => table.Current.Models.Values.Any(pool => pool.Servable)
            ? Results.Text("ready")
            : Results.Text("no model can be served", statusCode: 503));
        var v1 = app.MapGroup("/v1").WithTags("OpenAI").AddEndpointFilter(new ApiKeys(options.ApiKeys));
        InferenceEndpoints.Map(v1);
        ModelEndpoints.Map(v1);
        TokenEndpoints.Map(app.MapGroup("").AddEndpointFilter(new ApiKeys(options.ApiKeys)));
        NodeEndpoints.Map(app.MapGroup("/nodes").AddEndpointFilter(new ApiKeys(options.AdminKeys.Count > 0 ? options.AdminKeys : options.ApiKeys)));
        app.MapFallback("{**path}", FallbackEndpoint.HandleAsync);
        return app;
    }

    private static void AddServices(IServiceCollection services, RouterOptions options)
    {
        services.AddHttpForwarder();
        services.AddSingleton(options);
        services.AddSingleton(options.Strategy);
        services.AddSingleton(options.Admission);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(Random.Shared);

        if (options.CtrlAddress is { } ctrl)
        {
            services.AddEngineDirectory(client =>
            {
                client.Address = ctrl;
                client.Scope = options.CtrlScope;
                client.Token = options.CtrlToken;
            });
            services.AddSingleton<INodeSource, DirectoryNodeSource>();   // first: the registry knows more of an engine than a bare URL does
        }
        services.AddSingleton<ManualNodeSource>();
        services.AddSingleton<INodeSource>(new StaticNodeSource(options.Engines));
        services.AddSingleton<INodeSource>(provider => provider.GetRequiredService<ManualNodeSource>());
        services.AddSingleton<NodeTable>();
        services.AddSingleton<NodeEndpoints>();
        services.AddSingleton<EngineClient>();
        services.AddSingleton<RoutingPolicies>();

        services.AddSingleton<EngineForwarder>();
        services.AddSingleton<NodeSelector>();
        services.AddSingleton<PrefillStage>();
        services.AddSingleton<AnswerStage>();
        services.AddSingleton<DisaggregatedFlow>();
        services.AddSingleton<HybridFlow>();
        services.AddSingleton<ImageFetcher>();
        services.AddSingleton<EncodeStage>();
        services.AddSingleton<ImageReader>();
        services.AddSingleton<RequestFlow>();
        services.AddSingleton<AdmissionGate>();
        services.AddSingleton<RateLimiter>();
        services.AddSingleton<InferenceEndpoints>();
        services.AddSingleton<ModelEndpoints>();
        services.AddSingleton<TokenEndpoints>();

        services.AddSingleton<KvLeaseTable>();
        services.AddHostedService(provider => provider.GetRequiredService<KvLeaseTable>());
        services.AddHostedService<HealthProber>();
        services.AddHostedService<NodeMetrics>();
    }

    private static string? ListenUrl(RouterOptions options, ConfigurationManager configuration)
    {
        var host = options.Host.Contains(':') && !options.Host.StartsWith('[') ? $"[{options.Host}]" : options.Host;
        if (options.Port is { } port) return $"http://{host}:{port}";
        var injected = configuration["urls"] ?? configuration["http_ports"];
        return string.IsNullOrEmpty(injected) ? $"http://{host}:{DefaultPort}" : null;
    }
}
