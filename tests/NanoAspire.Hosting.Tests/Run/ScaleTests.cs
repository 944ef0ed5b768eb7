using Microsoft.Extensions.DependencyInjection;

namespace NanoAspire.Hosting.Tests.Run;

public sealed class ScaleTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_resource_with_replicas_grows_and_shrinks_while_it_runs_behind_one_address()
    {
        await using var app = await StartAsync(replicas: 1);
        var first = await app.PidOfAsync("web");
        var address = app.GetEndpoint("web");

        var added = await AddedAsync(app, first);
        Assert.Equal(address, app.GetEndpoint("web"));
        Assert.Equal(2, app.Services.GetRequiredService<DistributedApplicationModel>().Resources.Single(r => r.Name == "web").GetReplicaCount());
        await AnswersFromAsync(address, first, PidOf(added));

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("web", "scale-down", Ct)).Success);
        Assert.False(SampleProcesses.IsAlive(PidOf(added)));
        Assert.True(SampleProcesses.IsAlive(first));
        Assert.False(app.ResourceNotifications.TryGetCurrentState(added.ResourceId, out _));
        Assert.True(app.ResourceNotifications.TryGetCurrentState("web", out var left));
        Assert.Equal(first, PidOf(left));
        Assert.Equal(ResourceCommandState.Disabled, left.Snapshot.Commands.Single(c => c.Name == "scale-down").State);
        await AnswersFromAsync(address, first);
        var last = await app.ResourceCommands.ExecuteCommandAsync("web", "scale-down", Ct);
        Assert.False(last.Success);
        Assert.Contains("only one instance", last.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certain_instance_is_taken_away_and_finishes_what_it_was_asked_before()
    {
        await using var app = await StartAsync(replicas: 2);
        using var client = new HttpClient { BaseAddress = app.GetEndpoint("web") };
        using var response = await client.GetAsync("/slow", HttpCompletionOption.ResponseHeadersRead, Ct);
        var pid = int.Parse(response.Headers.GetValues("pid").Single(), System.Globalization.CultureInfo.InvariantCulture);
        var busy = await HealthyAsync(app, p => p == pid);

        var leaving = app.ResourceCommands.ExecuteCommandAsync(busy.ResourceId, "scale-down", Ct);
        Assert.Equal("slow and whole", await response.Content.ReadAsStringAsync(Ct));
        Assert.True((await leaving).Success);
        Assert.False(SampleProcesses.IsAlive(pid));
        Assert.NotEqual(pid, await app.PidOfAsync("web"));
    }

    [Fact]
    public async Task What_was_not_declared_with_replicas_or_cannot_share_its_port_is_not_scaled()
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddSample("single").Checked();
        builder.AddProject("fixed", SampleProcesses.Project, launchProfileName: null).WithReplicas(1).WithHttpEndpoint(targetPort: 19_753).Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("fixed", Ct);
        Assert.False((await app.ResourceCommands.ExecuteCommandAsync("single", "scale-up", Ct)).Success);
        var refused = await app.ResourceCommands.ExecuteCommandAsync("fixed", "scale-up", Ct);
        Assert.False(refused.Success);
        Assert.Contains("19753", refused.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stopping_application_takes_added_instances_along_and_starts_no_more()
    {
        await using var app = await StartAsync(replicas: 1);
        var first = await app.PidOfAsync("web");
        var added = await AddedAsync(app, first);
        await app.StopAsync(Ct);
        Assert.False(SampleProcesses.IsAlive(first));
        Assert.False(SampleProcesses.IsAlive(PidOf(added)));
        Assert.False((await app.ResourceCommands.ExecuteCommandAsync("web", "scale-up", Ct)).Success);
        Assert.False((await app.ResourceCommands.ExecuteCommandAsync(added.ResourceId, KnownResourceCommands.StartCommand, Ct)).Success);
    }

    private static async Task<DistributedApplication> StartAsync(int replicas)
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddSample("web").WithReplicas(replicas).Checked();
        var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        return app;
    }

    private static async Task<ResourceEvent> AddedAsync(DistributedApplication app, int first)
    {
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("web", "scale-up", Ct)).Success);
        return await HealthyAsync(app, pid => pid != first);
    }

    private static int PidOf(ResourceEvent e) => (int)e.Snapshot.Properties.Single(p => p.Name == "executable.pid").Value!;

    private static Task<ResourceEvent> HealthyAsync(DistributedApplication app, Func<int, bool> pid) => app.ResourceNotifications.WaitForResourceAsync("web",
        e => e.Snapshot.HealthStatus == Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy && e.Snapshot.Properties.Any(p => p.Name == "executable.pid") && pid(PidOf(e)), Ct);

    /// <summary>Connects until each of the processes has answered, and none but these.</summary>
    private static async Task AnswersFromAsync(Uri address, params int[] expected)
    {
        var seen = new HashSet<int>();
        for (var i = 0; i < 100 && seen.Count < expected.Length; i++)
        {
            using var one = new HttpClient { BaseAddress = address };
            using var other = new HttpClient { BaseAddress = address };
            foreach (var client in (HttpClient[])[one, other]) seen.Add(int.Parse(await client.GetStringAsync("/pid", Ct), System.Globalization.CultureInfo.InvariantCulture));
        }
        Assert.Equal(expected.Order(), seen.Order());
    }
}
