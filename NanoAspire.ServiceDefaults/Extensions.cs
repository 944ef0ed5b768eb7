using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using NanoAspire.ServiceDefaults.Metrics;
using NanoAspire.ServiceDefaults.Telemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every service of the application does the same way: telemetry, health, discovery, log lines.</summary>
public static class Extensions
{
    private const string HealthPath = "/health";
    private const string AlivePath = "/alive";
    private const string MetricsPath = "/metrics";

    /// <summary>
    /// Telemetry, health checks, service discovery for every <see cref="HttpClient"/> of the factory, and one-line console logs.
    /// Call it first: what starts first stops last, so the spans of a shutdown still leave the process.
    /// Clients are not retried by default, because repeating an inference request repeats its cost: a named client opts in with
    /// <c>AddControlResilience</c> or <c>AddInferenceResilience</c>.
    /// </summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.ConfigureOpenTelemetry();
        builder.AddDefaultHealthChecks();
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http => http.AddServiceDiscovery());
        return builder;
    }

    /// <summary>
    /// Traces, metrics and logs. They leave over OTLP only when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set;
    /// the metrics behind <c>/metrics</c> are collected either way.
    /// </summary>
    public static TBuilder ConfigureOpenTelemetry<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        if (builder.Services.Any(service => service.ServiceType == typeof(MetricsCollector))) return builder;

        ConfigureLogging(builder);
        builder.Services.AddMetrics();
        builder.Services.AddOptions<MetricsOptions>();
        builder.Services.AddSingleton<MetricsCollector>();
        builder.Services.AddSingleton<IStartupFilter, ServerSpanFilter>();
        builder.AddTelemetryExport();
        return builder;
    }

    /// <summary>Says something about this process with all its telemetry, as a resource attribute.</summary>
    public static TBuilder AddTelemetryAttribute<TBuilder>(this TBuilder builder, string name, string value) where TBuilder : IHostApplicationBuilder
    {
        void Add(ResourceBuilder resource) => resource.AddAttributes([new(name, value)]);
        builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.ConfigureResource(Add));
        builder.Services.ConfigureOpenTelemetryMeterProvider(metrics => metrics.ConfigureResource(Add));
        builder.Services.ConfigureOpenTelemetryLoggerProvider(logging => logging.ConfigureResource(Add));
        return builder;
    }

    /// <summary>Adds the check <c>self</c>, tagged <c>live</c>: the process answers, whatever its dependencies do.</summary>
    public static TBuilder AddDefaultHealthChecks<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddHealthChecks();
        builder.Services.Configure<HealthCheckServiceOptions>(options =>
        {
            if (options.Registrations.Any(check => check.Name == "self")) return;
            options.Registrations.Add(new HealthCheckRegistration("self", _ => new Healthy(), failureStatus: null, tags: ["live"]));
        });
        return builder;
    }

    /// <summary>
    /// Maps <c>/health</c> (every check: ready), <c>/alive</c> (checks tagged <c>live</c>) and <c>/metrics</c> (Prometheus text 0.0.4),
    /// in every environment since a cluster probes and scrapes in production. None of the three is traced or measured.
    /// </summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(HealthPath, new HealthCheckOptions { ResponseWriter = WriteReportAsync })
            .DisableHttpMetrics().DisableRequestTracing();
        app.MapHealthChecks(AlivePath, new HealthCheckOptions { Predicate = check => check.Tags.Contains("live"), ResponseWriter = WriteReportAsync })
            .DisableHttpMetrics().DisableRequestTracing();
        app.MapGet(MetricsPath, WriteMetricsAsync)
            .DisableHttpMetrics().DisableRequestTracing();
        return app;
    }

    /// <summary>
    /// One line a record, as the console logs of a cluster are read: interleaved. A level or formatter named in configuration wins
    /// (<c>Logging:Console:FormatterName=json</c> gives one JSON document a line).
    /// </summary>
    private static void ConfigureLogging(IHostApplicationBuilder builder)
    {
        var logging = builder.Configuration.GetSection("Logging");
        if (!logging.GetSection("Console:FormatterOptions").Exists())
        {
            // Without a name the provider falls back to its older options, which know no single line.
            builder.Services.PostConfigure<ConsoleLoggerOptions>(options => options.FormatterName ??= ConsoleFormatterNames.Simple);
            builder.Services.Configure<SimpleConsoleFormatterOptions>(options =>
            {
                options.SingleLine = true;
                options.TimestampFormat = "HH:mm:ss.fff ";
            });
            builder.Services.Configure<JsonConsoleFormatterOptions>(options =>
            {
                options.UseUtcTimestamp = true;
                options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            });
        }
        foreach (var chatty in (string[])["Microsoft.AspNetCore", "System.Net.Http.HttpClient", "Yarp"])
        {
            if (logging[$"LogLevel:{chatty}"] is null) builder.Logging.AddFilter(chatty, LogLevel.Warning);
        }
    }

    private static async Task WriteReportAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(context.Response.Body);
        writer.WriteStartObject();
        writer.WriteString("status", report.Status.ToString());
        writer.WriteStartObject("checks");
        foreach (var (name, entry) in report.Entries)
        {
            writer.WriteStartObject(name);
            writer.WriteString("status", entry.Status.ToString());
            if (entry.Description is { } description) writer.WriteString("description", description);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
        await writer.FlushAsync(context.RequestAborted);
    }

    private static Task WriteMetricsAsync(HttpContext context, MetricsCollector metrics)
    {
        context.Response.ContentType = PrometheusWriter.ContentType;
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(metrics.Scrape(), context.RequestAborted);
    }

    private sealed class Healthy : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(HealthCheckResult.Healthy());
    }
}
