using System.Globalization;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace NanoAspire.Hosting.Run;

/// <summary>Checks each instance for as long as it is Running, and announces a resource when all its instances are healthy for the first time.</summary>
internal sealed class HealthMonitor(ResourceNotificationService notifications, IDistributedApplicationEventing eventing, HealthCheckService checks,
    IServiceProvider services, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan WhenHealthy = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, CancellationTokenSource> _loops = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<IResource, Task> _ready = [];
    private readonly SemaphoreSlim _readyGate = new(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var e in notifications.WatchAsync(stoppingToken).ConfigureAwait(false))
            {
                var running = e.Snapshot.State?.Text == KnownResourceStates.Running;
                if (running && !_loops.ContainsKey(e.ResourceId))
                {
                    var loop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                    _loops[e.ResourceId] = loop;
                    _ = LoopAsync(e.Resource, e.ResourceId, loop.Token);
                }
                else if (!running && _loops.Remove(e.ResourceId, out var ended))
                {
                    await ended.CancelAsync().ConfigureAwait(false);
                    ended.Dispose();
                    await ForgetReadyAsync(e.Resource, stoppingToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the host stops
        }
    }

    private async Task LoopAsync(IResource resource, string id, CancellationToken ct)
    {
        var keys = resource.Annotations.OfType<HealthCheckAnnotation>().Select(a => a.Key).ToArray();
        var delay = FirstRetry;
        try
        {
            while (true)
            {
                var healthy = keys.Length == 0 || await CheckAsync(resource, id, keys, ct).ConfigureAwait(false);
                if (healthy)
                {
                    await AnnounceAsync(resource, id, ct).ConfigureAwait(false);
                    if (keys.Length == 0) return;
                    delay = FirstRetry;
                    await Task.Delay(WhenHealthy, time, ct).ConfigureAwait(false);
                    continue;
                }
                await Task.Delay(delay, time, ct).ConfigureAwait(false);
                // Quick at first, because everybody waits for it; then a service that stays sick is left in peace.
                delay = TimeSpan.FromTicks(Math.Min(LongestRetry.Ticks, delay.Ticks * 3 / 2));
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // the instance ended, or the host stops
        }
    }

    private async Task<bool> CheckAsync(IResource resource, string id, string[] keys, CancellationToken ct)
    {
        var reports = new List<HealthReportSnapshot>(keys.Length);
        foreach (var key in keys)
        {
            var result = await CheckOneAsync(resource, id, key, ct).ConfigureAwait(false);
            reports.Add(new HealthReportSnapshot(key, result.Status, result.Description, result.Exception?.ToString()));
        }
        ct.ThrowIfCancellationRequested();
        var published = false;
        await notifications.PublishUpdateAsync(resource, id, s =>
        {
            if (s.State?.Text != KnownResourceStates.Running) return s;
            published = true;
            return s with { HealthReports = [.. reports] };
        }).ConfigureAwait(false);
        return published && reports.All(r => r.Status == HealthStatus.Healthy);
    }

    private async Task<HealthCheckResult> CheckOneAsync(IResource resource, string id, string key, CancellationToken ct)
    {
        if (resource.Annotations.OfType<HttpHealthCheckAnnotation>().FirstOrDefault(a => a.Key == key) is { } http)
        {
            var endpoint = http.Endpoint();
            var instance = resource.Annotations.OfType<InstancesAnnotation>().SelectMany(a => a.Instances).FirstOrDefault(i => i.Id == id);
            if (ReferenceEquals(endpoint.Resource, resource) && instance is not null && instance.TargetPorts.TryGetValue(endpoint.EndpointName, out var port))
            {
                var url = new Uri(string.Create(CultureInfo.InvariantCulture, $"{endpoint.Scheme}://localhost:{port}"));
                return await HttpHealthCheck.CheckAsync(new Uri(url, http.Path), http.StatusCode, ct).ConfigureAwait(false);
            }
        }
        var report = await checks.CheckHealthAsync(r => r.Name == key, ct).ConfigureAwait(false);
        return report.Entries.TryGetValue(key, out var entry)
            ? new HealthCheckResult(entry.Status, entry.Description, entry.Exception)
            : HealthCheckResult.Unhealthy($"no health check is registered under '{key}'");
    }

    /// <summary>Marks the instance ready; the first time that all instances are healthy, runs the ready handlers.</summary>
    private async Task AnnounceAsync(IResource resource, string id, CancellationToken ct)
    {
        if (notifications.TryGetCurrentState(id, out var known) && known.Snapshot.Ready is not null) return;
        await _readyGate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (!_ready.TryGetValue(resource, out var ready))
            {
                if (!AllHealthy(resource)) return;
                _ready[resource] = ready = eventing.PublishAsync(new ResourceReadyEvent(resource, services), EventDispatchBehavior.BlockingSequential, ct);
            }
            foreach (var instance in ResourceInstance.IdsOf(resource).Where(IsHealthy))
            {
                await notifications.PublishUpdateAsync(resource, instance, s => s.Ready is null && s.HealthStatus == HealthStatus.Healthy ? s with { Ready = ready } : s).ConfigureAwait(false);
            }
        }
        finally
        {
            _readyGate.Release();
        }
    }

    /// <summary>When no instance runs any more, the next run is announced anew.</summary>
    private async Task ForgetReadyAsync(IResource resource, CancellationToken ct)
    {
        if (ResourceInstance.IdsOf(resource).Any(_loops.ContainsKey)) return;
        await _readyGate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            _ready.Remove(resource);
        }
        finally
        {
            _readyGate.Release();
        }
    }

    private bool AllHealthy(IResource resource) => ResourceInstance.IdsOf(resource).All(IsHealthy);
    private bool IsHealthy(string id) => notifications.TryGetCurrentState(id, out var e) && e.Snapshot.HealthStatus == HealthStatus.Healthy;
}
