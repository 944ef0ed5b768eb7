using System.Collections.Immutable;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>What is known about one instance of a resource at one moment. Immutable: updates replace it.</summary>
public sealed record CustomResourceSnapshot
{
    private readonly ImmutableArray<HealthReportSnapshot> _healthReports = [];
    private readonly ResourceStateSnapshot? _state;

    public required string ResourceType { get; init; }
    public required ImmutableArray<ResourcePropertySnapshot> Properties { get; init; }

    public ResourceStateSnapshot? State
    {
        get => _state;
        init
        {
            _state = value;
            HealthStatus = ComputeHealth(_healthReports, value?.Text);
        }
    }

    public int? ExitCode { get; init; }
    public DateTime? CreationTimeStamp { get; init; }
    public DateTime? StartTimeStamp { get; init; }
    public DateTime? StopTimeStamp { get; init; }
    public ImmutableArray<EnvironmentVariableSnapshot> EnvironmentVariables { get; init; } = [];
    public ImmutableArray<UrlSnapshot> Urls { get; init; } = [];
    public ImmutableArray<VolumeSnapshot> Volumes { get; init; } = [];
    public ImmutableArray<ResourceCommandSnapshot> Commands { get; init; } = [];
    public ImmutableArray<RelationshipSnapshot> Relationships { get; init; } = [];
    public bool IsHidden { get; init; }
    public string? IconName { get; init; }
    public IconVariant? IconVariant { get; init; }

    /// <summary>Null unless Running. Running without reports is healthy; otherwise the worst report counts, and one that has not come yet is unhealthy.</summary>
    public HealthStatus? HealthStatus { get; private init; }

    public ImmutableArray<HealthReportSnapshot> HealthReports
    {
        get => _healthReports;
        internal init
        {
            _healthReports = value;
            HealthStatus = ComputeHealth(value, State?.Text);
        }
    }

    /// <summary>Completes when every <see cref="ResourceReadyEvent"/> handler of this run has returned, with their exception if one failed; null before.</summary>
    internal Task? Ready { get; init; }

    /// <summary>The resource decided that it has nothing to run here, and whoever waits for it goes on without.</summary>
    internal bool IsUnavailable { get; init; }

    private static HealthStatus? ComputeHealth(ImmutableArray<HealthReportSnapshot> reports, string? state)
    {
        if (state != KnownResourceStates.Running) return null;
        return reports.IsEmpty
            ? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy
            : reports.Min(r => r.Status ?? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Unhealthy);
    }
}
