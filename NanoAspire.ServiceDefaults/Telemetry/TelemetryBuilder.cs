using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;

namespace NanoAspire.ServiceDefaults.Telemetry;

/// <summary>The handle that the SDK's <c>WithTracing</c>, <c>WithMetrics</c>, <c>WithLogging</c> and <c>UseOtlpExporter</c> extend.</summary>
internal sealed class TelemetryBuilder(IServiceCollection services) : IOpenTelemetryBuilder
{
    public IServiceCollection Services { get; } = services;
}
