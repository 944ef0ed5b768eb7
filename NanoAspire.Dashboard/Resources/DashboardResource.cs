namespace NanoAspire.Dashboard.Resources;

/// <summary>One row of the resources page.</summary>
public sealed record DashboardResource
{
    /// <summary>Unique; for a replica the instance name.</summary>
    public required string Name { get; init; }

    /// <summary>Name shown, shared by the replicas of one resource, and the <c>service.name</c> of its telemetry.</summary>
    public required string DisplayName { get; init; }

    /// <summary>E.g. <c>Project</c>, <c>Container</c>, <c>Executable</c>, <c>Parameter</c>.</summary>
    public required string Type { get; init; }

    /// <summary>State text, e.g. <c>Running</c>; null before there is one.</summary>
    public string? State { get; init; }

    /// <summary>How the state should look.</summary>
    public ResourceTone Tone { get; init; }

    /// <summary>Null when the resource has no health checks.</summary>
    public bool? Healthy { get; init; }

    public IReadOnlyList<HealthReport> HealthReports { get; init; } = [];
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? StoppedAt { get; init; }
    public int? ExitCode { get; init; }

    /// <summary>What runs: project path, image or command.</summary>
    public string? Source { get; init; }

    public IReadOnlyList<ResourceUrl> Urls { get; init; } = [];
    public IReadOnlyList<ResourceVariable> Environment { get; init; } = [];

    /// <summary>Further facts, e.g. process id, replica, volumes.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Properties { get; init; } = [];

    /// <summary>Display names of resources that this one refers to.</summary>
    public IReadOnlyList<ResourceRelation> Relations { get; init; } = [];

    public IReadOnlyList<ResourceCommand> Commands { get; init; } = [];
}

/// <summary>How a state should look.</summary>
public enum ResourceTone
{
    /// <summary>Nothing to say: not started, finished as planned.</summary>
    Neutral,
    /// <summary>On its way: starting, waiting, stopping.</summary>
    Busy,
    /// <summary>Running as it should.</summary>
    Good,
    /// <summary>Running, but not well.</summary>
    Warning,
    /// <summary>Failed.</summary>
    Bad,
}
