using NanoAspire.Hosting.Run;

namespace NanoAspire.Hosting.Tests.Run;

public sealed class CrashTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_crashed_process_is_started_again_at_the_same_address()
    {
        var builder = SampleProcesses.NewApplication("--NanoAspire:RestartOnCrash=true");
        builder.AddSample("web").Checked().WithAnnotation(new RestartPolicyAnnotation(3) { FirstDelay = TimeSpan.FromMilliseconds(50) });
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        var first = await app.PidOfAsync("web");

        await app.CreateHttpClient("web").PostAsync("/crash", content: null, Ct);
        await SampleProcesses.WaitUntilGoneAsync(first);
        var restarting = await app.StateAsync("web", s => s.StartTimeStamp is not null && s.Properties.Any(p => p.Name == "executable.pid" && p.Value is int pid && pid != first));
        Assert.Equal(KnownResourceStates.Running, restarting.State?.Text);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        Assert.NotEqual(first, await app.PidOfAsync("web"));
        Assert.Contains("starting again", await app.LogAsync("web"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_crashes_again_and_again_is_given_up()
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddExecutable("crasher", "sh", ".", "-c", "echo dying >&2; kill -SEGV $$").WithAnnotation(new RestartPolicyAnnotation(2) { FirstDelay = TimeSpan.FromMilliseconds(10) });
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        var end = await app.StateAsync("crasher", s => s.State is { } state && KnownResourceStates.TerminalStates.Contains(state.Text));
        Assert.Equal(128 + 11, end.ExitCode);
        Assert.Equal("Exited with code 139 after 2 restarts: dying", end.Properties.Single(p => p.Name == "resource.failureReason").Value);
        Assert.Equal(3, (await app.LogAsync("crasher")).Split('\n').Count(l => l == "dying"));
    }

    [Fact]
    public async Task Without_the_policy_a_crash_is_the_end_and_a_start_command_a_new_beginning()
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddSample("web").Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        var stopped = new TaskCompletionSource<ResourceStoppedEvent>();
        ((Aspire.Hosting.Eventing.IDistributedApplicationEventing)app.Services.GetService(typeof(Aspire.Hosting.Eventing.IDistributedApplicationEventing))!)
            .Subscribe<ResourceStoppedEvent>((e, _) =>
            {
                stopped.TrySetResult(e);
                return Task.CompletedTask;
            });
        await app.CreateHttpClient("web").PostAsync("/crash", content: null, Ct);
        var end = await app.StateAsync("web", s => s.State?.Text == KnownResourceStates.Finished);
        Assert.Equal(128 + 6, end.ExitCode);
        Assert.Equal("web", (await stopped.Task.WaitAsync(Ct)).Resource.Name);
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("web", KnownResourceCommands.StartCommand, Ct)).Success);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
    }

    [Fact]
    public async Task A_start_command_succeeds_as_soon_as_the_end_is_seen_even_while_others_are_told_of_it()
    {
        var builder = SampleProcesses.NewApplication();
        var release = new TaskCompletionSource();
        builder.AddExecutable("short", "sh", ".", "-c", "exit 0").OnResourceStopped((_, _, _) => release.Task);
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        for (var run = 0; run < 5; run++)
        {
            await app.StateAsync("short", s => s.State?.Text == KnownResourceStates.Finished);
            Assert.True((await app.ResourceCommands.ExecuteCommandAsync("short", KnownResourceCommands.StartCommand, Ct)).Success);
        }
        await app.StateAsync("short", s => s.State?.Text == KnownResourceStates.Finished);
        release.SetResult();
    }

    [Fact]
    public async Task A_handler_of_the_end_may_start_the_resource_again_and_one_that_throws_harms_nobody()
    {
        var builder = SampleProcesses.NewApplication();
        var again = 0;
        builder.AddExecutable("phoenix", "sh", ".", "-c", "echo up; exit 0").OnResourceStopped(async (resource, e, ct) =>
        {
            if (++again > 2) throw new InvalidOperationException("enough");
            var commands = (ResourceCommandService)e.Services.GetService(typeof(ResourceCommandService))!;
            Assert.True((await commands.ExecuteCommandAsync(resource, KnownResourceCommands.StartCommand, ct)).Success);
        });
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        var logs = (ResourceLoggerService)app.Services.GetService(typeof(ResourceLoggerService))!;
        var lines = new List<string>();
        await foreach (var batch in logs.WatchAsync("phoenix").WithCancellation(Ct))
        {
            lines.AddRange(batch.Select(l => l.Content));
            if (lines.Exists(l => l.Contains("enough", StringComparison.Ordinal))) break;
        }
        Assert.Equal(3, lines.Count(l => l == "up"));
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("phoenix", KnownResourceCommands.StartCommand, Ct)).Success);
    }
}
