using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NanoAspire.Engine.Server.Endpoints;
using NanoAspire.Engine.Server.Generation;
using NanoAspire.Protocol.OpenAI;

namespace NanoAspire.Engine.Server.Hosting;

/// <summary>One engine process: model, loop, OpenAI routes, registration. Loads first, then listens: a reachable engine is a ready one.</summary>
internal static class EngineServer
{
    private const long MaxBodyBytes = 32 << 20;
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(ServeOptions options, CancellationToken ct)
    {
        await using var app = Build(options);
        await app.RunAsync(ct);
    }

    /// <summary>The whole application, not started; tests start it on a free port.</summary>
    public static WebApplication Build(ServeOptions options)
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddServiceDefaults();
        builder.AddTelemetryAttribute("nanoaspire.engine.role", options.Role.ToString().ToLowerInvariant());
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBodyBytes);
        if (ListenUrl(options, builder) is { } url) builder.WebHost.UseUrls(url);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = DrainTimeout);

        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services => ModelHost.Load(
            options.Engine, options.Role, options.ServedModelName, options.AllowLocal, TransferAddress(options.Host), services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILoggerFactory>()));
        builder.Services.AddSingleton<RequestRunner>();
        builder.Services.AddSingleton<InferenceEndpoints>();
        builder.Services.AddHealthChecks().AddCheck<EngineHealthCheck>("engine");
        Registration.Add(builder, options);

        var app = builder.Build();
        var model = app.Services.GetRequiredService<ServedModel>();   // loads now: a failure is this process's exit, not a request's
        app.UseMiddleware<ProblemMiddleware>();
        app.MapDefaultEndpoints();
        InferenceEndpoints.Map(app);
        TokenEndpoints.Map(app);
        ModelEndpoints.Map(app);
        HandoffEndpoints.Map(app);
        ControlEndpoints.Map(app, options);
        app.MapFallback(static (HttpContext http) => Results.Json(
            OpenAIError.InvalidRequest($"there is no {http.Request.Method} {http.Request.Path}", code: "not_found"), OpenAIJson.Relaxed.OpenAIError, statusCode: 404));
        app.Lifetime.ApplicationStopping.Register(model.Loop.BeginDrain);
        return app;
    }

    /// <summary>Parked KV is offered where the engine itself listens.</summary>
    private static IPAddress TransferAddress(string host) =>
        IPAddress.TryParse(host, out var address) ? address : host == "localhost" ? IPAddress.Loopback : IPAddress.Any;

    private static string? ListenUrl(ServeOptions options, WebApplicationBuilder builder)
    {
        if (options.Port is { } port) return $"http://{options.Host}:{port}";
        var configured = builder.Configuration["urls"] ?? builder.Configuration["http_ports"];
        return string.IsNullOrEmpty(configured) ? $"http://{options.Host}:{options.DefaultPort}" : null;
    }
}
