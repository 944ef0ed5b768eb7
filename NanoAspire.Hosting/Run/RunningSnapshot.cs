using System.Collections;
using System.Collections.Immutable;

namespace NanoAspire.Hosting.Run;

/// <summary>What is shown of a process.</summary>
internal static class RunningSnapshot
{
    /// <summary>The property that says in one line why a resource failed.</summary>
    public const string FailureReason = "resource.failureReason";

    public static CustomResourceSnapshot From(CustomResourceSnapshot previous, IResource resource, int processId, ProcessSpec spec, TimeProvider time)
    {
        var properties = WithReason(previous.Properties, reason: null);
        properties = Set(properties, "executable.pid", processId);
        properties = Set(properties, "executable.path", spec.FileName);
        properties = Set(properties, "executable.workDir", spec.WorkingDirectory);
        properties = Set(properties, "executable.args", string.Join(' ', spec.Arguments));
        if (resource is ProjectResource project) properties = Set(properties, "project.path", project.GetProjectMetadata().ProjectPath);
        return previous with
        {
            State = new ResourceStateSnapshot(KnownResourceStates.Running, KnownResourceStateStyles.Success),
            StartTimeStamp = time.GetUtcNow().UtcDateTime,
            Properties = properties,
            EnvironmentVariables = Environment(spec),
            Urls = [.. previous.Urls.Select(u => u with { IsInactive = false })],
            HealthReports = [.. resource.Annotations.OfType<HealthCheckAnnotation>().Select(a => new HealthReportSnapshot(a.Key, null, null, null))],
        };
    }

    public static ImmutableArray<ResourcePropertySnapshot> WithReason(ImmutableArray<ResourcePropertySnapshot> properties, string? reason) =>
        reason is null ? properties.RemoveAll(p => p.Name == FailureReason) : Set(properties, FailureReason, reason);

    private static ImmutableArray<ResourcePropertySnapshot> Set(ImmutableArray<ResourcePropertySnapshot> properties, string name, object value) =>
        properties.RemoveAll(p => p.Name == name).Add(new ResourcePropertySnapshot(name, value));

    private static ImmutableArray<EnvironmentVariableSnapshot> Environment(ProcessSpec spec)
    {
        var all = new SortedDictionary<string, EnvironmentVariableSnapshot>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in System.Environment.GetEnvironmentVariables())
        {
            var name = (string)entry.Key;
            all[name] = new EnvironmentVariableSnapshot(name, (string?)entry.Value, IsFromSpec: false);
        }
        foreach (var (name, value) in spec.Environment) all[name] = new EnvironmentVariableSnapshot(name, value, IsFromSpec: true);
        return [.. all.Values];
    }
}
