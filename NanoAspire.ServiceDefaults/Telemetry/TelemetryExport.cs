using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NanoAspire.ServiceDefaults.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace NanoAspire.ServiceDefaults.Telemetry;

/// <summary>
/// The OpenTelemetry pipeline. The framework itself emits the spans and measurements (sources and meters below) and carries W3C trace
/// context on both sides, so no instrumentation package takes part.
/// </summary>
internal static class TelemetryExport
{
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddTelemetryExport(this IHostApplicationBuilder builder)
    {
        // Before every other hosted service: started first, stopped and flushed last.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService, TelemetryStarter>());
        if (string.IsNullOrWhiteSpace(builder.Configuration[EndpointVariable])) return;

        var applicationName = builder.Environment.ApplicationName;
        new TelemetryBuilder(builder.Services)
            .ConfigureResource(resource =>
            {
                if (string.IsNullOrEmpty(builder.Configuration["OTEL_SERVICE_NAME"])) resource.AddService(applicationName, serviceVersion: Version());
                else resource.AddAttributes([new("service.version", Version())]);
            })
            .WithLogging(configureBuilder: null, options =>
            {
                options.IncludeFormattedMessage = true;
                options.IncludeScopes = true;
            })
            .WithMetrics(metrics => metrics.AddMeter([.. MetricsOptions.DefaultMeters]))
            .WithTracing(tracing => tracing
                .AddSource(applicationName, "Microsoft.AspNetCore", "System.Net.Http", "NanoAspire.*")
                .SetSampler(new RequestSampler(builder.Configuration)))
            .UseOtlpExporter();
    }

    private static string Version() =>
        Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";
}
