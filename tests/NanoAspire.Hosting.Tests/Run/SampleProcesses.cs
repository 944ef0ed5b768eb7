using System.Globalization;
using System.Net.Http.Json;
using NanoAspire.Tests;

namespace NanoAspire.Hosting.Tests.Run;

/// <summary>Applications made of sample services, and ways to look at their processes.</summary>
internal static class SampleProcesses
{
    public static readonly string Project = Path.Combine(RepositoryPaths.Root, "tests", "Hosting.SampleService", "Hosting.SampleService.csproj");

    public static IDistributedApplicationTestingBuilder NewApplication(params string[] args) => DistributedApplicationTestingBuilder.Create(args);

    public static IResourceBuilder<ProjectResource> AddSample(this IDistributedApplicationTestingBuilder builder, string name, params string[] args) =>
        builder.AddProject(name, Project, launchProfileName: null).WithArgs(["--name", name, .. args]).WithHttpEndpoint();

    public static IResourceBuilder<ProjectResource> Checked(this IResourceBuilder<ProjectResource> builder) => builder.WithHttpHealthCheck("/health");

    public static Task<Dictionary<string, string>> EnvironmentOfAsync(this DistributedApplication app, string name) =>
        app.CreateHttpClient(name).GetFromJsonAsync<Dictionary<string, string>>("/env", TestContext.Current.CancellationToken)!;

    public static async Task<int> PidOfAsync(this DistributedApplication app, string name) =>
        int.Parse(await app.CreateHttpClient(name).GetStringAsync("/pid", TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);

    public static async Task<CustomResourceSnapshot> StateAsync(this DistributedApplication app, string name, Func<CustomResourceSnapshot, bool> predicate) =>
        (await app.ResourceNotifications.WaitForResourceAsync(name, e => predicate(e.Snapshot), TestContext.Current.CancellationToken)).Snapshot;

    public static async Task<string> LogAsync(this DistributedApplication app, string name)
    {
        var text = new List<string>();
        var logs = (ResourceLoggerService)app.Services.GetService(typeof(ResourceLoggerService))!;
        await foreach (var lines in logs.GetAllAsync(name)) text.AddRange(lines.Select(l => l.Content));
        return string.Join('\n', text);
    }

    /// <summary>Whether the process runs; one that has ended but was not waited for by its parent does not.</summary>
    public static bool IsAlive(int pid)
    {
        try
        {
            return File.ReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith("State:", StringComparison.Ordinal)) is { } state && !state.Contains('Z', StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public static async Task WaitUntilGoneAsync(params IEnumerable<int> pids)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        foreach (var pid in pids)
        {
            while (IsAlive(pid)) await Task.Delay(20, limit.Token);
        }
    }
}
