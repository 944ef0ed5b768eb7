using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NanoAspire.Engine.Server.Hosting;

internal sealed class EngineHealthCheck(ServedModel model) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(model.Loop.Status.Healthy ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("the engine loop failed repeatedly"));
}
