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
}
