using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace NanoAspire.AppHost;

/// <summary>Watches the start: says when the cluster can be used, or why it cannot.</summary>
internal sealed class ClusterConsole(ResourceNotificationService notifications, DistributedApplicationModel model, IConfiguration configuration,
    IHostApplicationLifetime lifetime, EndpointReference router, ParameterResource modelFolder) : BackgroundService
{
    private readonly Dictionary<string, ResourceEvent> _latest = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var e in notifications.WatchAsync(stoppingToken))
            {
                _latest[e.ResourceId] = e;
                if (e.Resource is ProjectResource && e.Snapshot.State?.Text == KnownResourceStates.FailedToStart)
                {
                    await Console.Error.WriteLineAsync($"{e.Resource.Name} failed to start{Reason(e.Snapshot)}");
                    Environment.ExitCode = ClusterOptions.Failure;
                    lifetime.StopApplication();
                    return;
                }
                if (!model.GetProjectResources().All(IsHealthy)) continue;
                Console.WriteLine(await AnnouncementAsync(stoppingToken));
                return;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // stopped before it was ready
        }
    }

    private bool IsHealthy(ProjectResource project)
    {
        var instances = _latest.Values.Where(e => ReferenceEquals(e.Resource, project)).ToArray();
        return instances.Length > 0 && instances.All(e => e.Snapshot.HealthStatus == HealthStatus.Healthy);
    }

    private async Task<string> AnnouncementAsync(CancellationToken ct)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(await modelFolder.GetValueAsync(ct) ?? ""));
        var text = new StringBuilder("\nThe cluster is ready.\n");
        text.Append("  OpenAI API  ").Append(router.Url).Append("/v1\n");
        foreach (var project in model.GetProjectResources().Where(p => p.Name == "ctrl")) text.Append("  Ctrl        ").Append(project.GetEndpoint("http").Url).Append('\n');
        if (configuration["AppHost:DashboardLoginUrl"] is { Length: > 0 } dashboard) text.Append("  Dashboard   ").Append(dashboard).Append('\n');
        text.Append($$"""

              curl {{router.Url}}/v1/chat/completions -H 'Content-Type: application/json' \
                -d '{"model": "{{name}}", "messages": [{"role": "user", "content": "What is prefill?"}]}'

            Ctrl+C stops everything.
            """);
        return text.Append('\n').ToString();
    }

    private static string Reason(CustomResourceSnapshot snapshot) =>
        snapshot.Properties.FirstOrDefault(p => p.Name == "resource.failureReason")?.Value is string reason ? $": {reason}" : ", see its log above";
}
