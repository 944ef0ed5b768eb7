using System.Net.Sockets;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NanoAspire.Hosting.Run;

/// <summary>A GET that must answer with exactly one status.</summary>
internal sealed class HttpHealthCheck(EndpointReference endpoint, string path, int status) : IHealthCheck
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(2),
        PooledConnectionLifetime = TimeSpan.FromSeconds(30),
        ActivityHeadersPropagator = null,                        // probes are no part of anybody's trace
    }) { Timeout = TimeSpan.FromSeconds(5) };

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => endpoint.IsAllocated
        ? CheckAsync(new Uri(new Uri(endpoint.Url), path), status, cancellationToken)
        : Task.FromResult(HealthCheckResult.Unhealthy("no port yet"));

    public static async Task<HealthCheckResult> CheckAsync(Uri url, int status, CancellationToken ct)
    {
        try
        {
            using var response = await Client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, ct).ConfigureAwait(false);
            return (int)response.StatusCode == status
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"{url} answered {(int)response.StatusCode}, expected {status}");
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return HealthCheckResult.Unhealthy($"{url}: {(e is OperationCanceledException ? "no answer in time" : e.Message)}", e);
        }
    }
}
