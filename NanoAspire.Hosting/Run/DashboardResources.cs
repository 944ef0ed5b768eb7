using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NanoAspire.Dashboard.Resources;
using HealthReport = NanoAspire.Dashboard.Resources.HealthReport;

namespace NanoAspire.Hosting.Run;

/// <summary>The model as the dashboard shows it: every instance a row, in the order of the model.</summary>
internal sealed class DashboardResources(DistributedApplicationModel model, ResourceNotificationService notifications, ResourceLoggerService logs, ResourceCommandService commands) : IDashboardResources
{
    private static readonly string[] SecretNames = ["PASSWORD", "TOKEN", "KEY", "SECRET", "HEADERS", "CONNECTIONSTRINGS__", "_URI"];

    public IReadOnlyList<DashboardResource> Snapshot()
    {
        var order = model.Resources.Select((resource, index) => (resource.Name, index)).ToDictionary(pair => pair.Name, pair => pair.index);
        return [.. notifications.Current.Where(e => !e.Snapshot.IsHidden)
            .OrderBy(e => order.GetValueOrDefault(e.Resource.Name, int.MaxValue)).ThenBy(Index)
            .Select(Row)];
    }

    public async IAsyncEnumerable<string> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var e in notifications.WatchAsync(cancellationToken).ConfigureAwait(false)) yield return e.ResourceId;
    }

    public async IAsyncEnumerable<ConsoleLine> WatchConsoleAsync(string resource, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!IsKnown(resource)) yield break;
        await foreach (var batch in logs.WatchAsync(resource, cancellationToken).ConfigureAwait(false))
            foreach (var line in batch) yield return new ConsoleLine(line.LineNumber, line.Content, line.IsErrorMessage);
    }

    public async Task<CommandOutcome> ExecuteAsync(string resource, string command, CancellationToken cancellationToken)
    {
        if (!IsKnown(resource)) return new(false, $"There is no resource '{resource}'.");
        var result = await commands.ExecuteCommandAsync(resource, command, cancellationToken).ConfigureAwait(false);
        return new(result.Success, result.Success ? null : result.ErrorMessage ?? "The command failed.");
    }

    private bool IsKnown(string nameOrId) => notifications.Current.Any(e => ResourceNotificationService.Matches(e, nameOrId));

    private static int Index(ResourceEvent e) =>
        e.Resource.Annotations.OfType<InstancesAnnotation>().SelectMany(a => a.Instances).FirstOrDefault(i => i.Id == e.ResourceId)?.Index ?? 0;

    private static DashboardResource Row(ResourceEvent e)
    {
        var s = e.Snapshot;
        return new()
        {
            Name = e.ResourceId,
            DisplayName = e.Resource.Name,
            Type = s.ResourceType,
            State = s.State?.Text,
            Tone = ToneOf(s),
            Healthy = s.HealthStatus is { } health ? health == HealthStatus.Healthy : null,
            HealthReports = [.. s.HealthReports.Select(r => new HealthReport(r.Name, r.Status is { } status ? status == HealthStatus.Healthy : null, r.ExceptionText ?? r.Description))],
            StartedAt = Utc(s.StartTimeStamp),
            StoppedAt = Utc(s.StopTimeStamp),
            ExitCode = s.ExitCode,
            Source = (Property(s, "project.path") ?? Property(s, "container.image") ?? Property(s, "executable.path"))?.ToString(),
            Urls = [.. s.Urls.Where(u => !u.IsInactive && !u.IsInternal).Select(u => new ResourceUrl(u.Name ?? "", u.Url))],
            Environment = [.. s.EnvironmentVariables.Where(v => v.IsFromSpec).Select(v => new ResourceVariable(v.Name, v.Value, IsSecret(v.Name)))],
            Properties = [.. s.Properties.Where(p => p.Value is not null).Select(p => KeyValuePair.Create(p.Name, p.IsSensitive ? "●●●●●●" : Convert.ToString(p.Value, CultureInfo.InvariantCulture) ?? ""))],
            Relations = [.. s.Relationships.Select(r => new ResourceRelation(r.ResourceName, r.Type))],
            Commands = [.. s.Commands.Where(c => c.State != ResourceCommandState.Hidden)
                .Select(c => new ResourceCommand(c.Name, c.DisplayName, c.State == ResourceCommandState.Enabled, c.IsHighlighted, c.ConfirmationMessage))],
        };
    }

    private static ResourceTone ToneOf(CustomResourceSnapshot s)
    {
        if (s.State is not { Text: var state } known) return ResourceTone.Neutral;
        if (known.Style == KnownResourceStateStyles.Error || state == KnownResourceStates.FailedToStart) return ResourceTone.Bad;
        if (state == KnownResourceStates.Running) return s.HealthStatus is null or HealthStatus.Healthy ? ResourceTone.Good : ResourceTone.Warning;
        if (state == KnownResourceStates.Exited) return s.ExitCode is null or 0 ? ResourceTone.Neutral : ResourceTone.Bad;
        if (known.Style == KnownResourceStateStyles.Warn || state == KnownResourceStates.RuntimeUnhealthy) return ResourceTone.Warning;
        return state == KnownResourceStates.Starting || state == KnownResourceStates.Waiting || state == KnownResourceStates.Stopping || state == KnownResourceStates.Restarting
            ? ResourceTone.Busy
            : known.Style == KnownResourceStateStyles.Success ? ResourceTone.Good : ResourceTone.Neutral;
    }

    private static bool IsSecret(string name) => Array.Exists(SecretNames, part => name.Contains(part, StringComparison.OrdinalIgnoreCase));

    private static object? Property(CustomResourceSnapshot s, string name) => s.Properties.FirstOrDefault(p => p.Name == name)?.Value;

    private static DateTimeOffset? Utc(DateTime? time) => time is { } t ? new DateTimeOffset(t.ToUniversalTime()) : null;
}
