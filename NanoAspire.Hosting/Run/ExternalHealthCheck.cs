using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NanoAspire.Hosting.Run;

/// <summary>A GET of a service that is not ours; its URL may be a parameter that is known only now.</summary>
internal sealed class ExternalHealthCheck(ExternalServiceResource service, string path, int status) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var uri = await service.GetUriAsync(cancellationToken).ConfigureAwait(false);
            return await HttpHealthCheck.CheckAsync(new Uri(uri, path), status, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is DistributedApplicationException or ArgumentException)
        {
            return HealthCheckResult.Unhealthy(e.Message, e);
        }
    }
}
