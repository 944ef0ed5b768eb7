using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NanoAspire.ServiceDefaults.Metrics;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace NanoAspire.ServiceDefaults.Telemetry;

/// <summary>
/// Builds the providers (nothing else asks the container for them) and, when everything else has stopped, sends what is still queued.
/// A provider is absent when no OTLP endpoint is configured.
/// </summary>
internal sealed class TelemetryStarter(IServiceProvider services, MetricsCollector metrics) : IHostedService
{
    private const int FlushMilliseconds = 3000;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        metrics.Start();
        _ = services.GetService<MeterProvider>();
        _ = services.GetService<TracerProvider>();
        return Task.CompletedTask;
    }

    /// <summary>Bounded: a collector that has gone away must not hold up the exit.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(
        Task.Run(() => services.GetService<TracerProvider>()?.ForceFlush(FlushMilliseconds), cancellationToken),
        Task.Run(() => services.GetService<MeterProvider>()?.ForceFlush(FlushMilliseconds), cancellationToken),
        Task.Run(() => services.GetService<LoggerProvider>()?.ForceFlush(FlushMilliseconds), cancellationToken));
}
