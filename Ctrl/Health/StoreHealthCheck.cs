using Microsoft.Extensions.Diagnostics.HealthChecks;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Health;

/// <summary>Ready only while the store answers: a replica that has lost Redis should get no traffic.</summary>
internal sealed class StoreHealthCheck(ICtrlStore store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await store.PingAsync(cancellationToken);
            return HealthCheckResult.Healthy(store.Description);
        }
        catch (StoreUnavailableException e) { return HealthCheckResult.Unhealthy($"Redis: {e.Message}"); }
        catch (StoreCommandException e) { return HealthCheckResult.Unhealthy($"Redis: {e.Message}"); }
    }
}
