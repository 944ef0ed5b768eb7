using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NanoAspire.Hosting.Tests.Run;

public sealed class StartTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_resource_starts_only_when_what_it_waits_for_is_healthy_and_learns_its_address()
    {
        var builder = SampleProcesses.NewApplication();
        var back = builder.AddSample("back", "--healthy-after", "1200").Checked();
        DistributedApplication? running = null;
        HealthStatus? backWhenFrontStarts = null;
        builder.AddSample("front", "--more").WithReference(back).WaitFor(back).Checked().WithEnvironment("OWN_PORT", back.GetEndpoint("http").Property(EndpointProperty.Port))
            .WithEnvironment(_ => backWhenFrontStarts = running!.ResourceNotifications.TryGetCurrentState("back", out var state) ? state.Snapshot.HealthStatus : null);
        await using var app = running = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("front", Ct);

        Assert.Equal(HealthStatus.Healthy, backWhenFrontStarts);
        var environment = await app.EnvironmentOfAsync("front");
        Assert.Equal(app.GetEndpoint("back").ToString().TrimEnd('/'), environment["services__back__http__0"]);
        Assert.Equal(app.GetEndpoint("back").Port.ToString(System.Globalization.CultureInfo.InvariantCulture), environment["OWN_PORT"]);
        Assert.Equal("front", environment["OTEL_SERVICE_NAME"]);
        Assert.Equal(["--name", "front", "--more"], (await app.CreateHttpClient("front").GetFromJsonAsync<string[]>("/args", Ct))!);
        Assert.Contains("Waiting for resource 'back' to become healthy.", await app.LogAsync("front"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_working_directory_is_the_project_folder_and_standard_input_is_empty()
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddExecutable("shell", "sh", ".", "-c", "pwd; cat; echo end; sleep 60");
        builder.AddSample("web").Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        var pid = await app.PidOfAsync("web");
        Assert.Equal(Path.GetDirectoryName(SampleProcesses.Project), new FileInfo($"/proc/{pid}/cwd").ResolveLinkTarget(returnFinalTarget: true)!.FullName);
        var lines = new List<string>();
        await foreach (var batch in app.Services.GetRequiredService<ResourceLoggerService>().WatchAsync("shell").WithCancellation(Ct))
        {
            lines.AddRange(batch.Select(l => l.Content));
            if (lines.Contains("end")) break;
        }
        Assert.Equal([builder.AppHostDirectory, "end"], lines);
    }

    [Fact]
    public async Task A_process_that_dislikes_its_arguments_fails_with_its_last_words_and_takes_its_waiters_along()
    {
        var builder = SampleProcesses.NewApplication("--NanoAspire:RestartOnCrash=true");
        var bad = builder.AddSample("bad", "--exit", "3").Checked();
        builder.AddSample("waiter").WaitFor(bad).Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        var state = await app.StateAsync("bad", s => s.State?.Text == KnownResourceStates.FailedToStart);
        Assert.Equal(3, state.ExitCode);
        var reason = Assert.IsType<string>(state.Properties.Single(p => p.Name == "resource.failureReason").Value);
        Assert.Equal("Exited with code 3 before it was healthy: the sample was told to exit", reason);
        await app.StateAsync("waiter", s => s.State?.Text == KnownResourceStates.FailedToStart);
        await Assert.ThrowsAsync<DistributedApplicationException>(() => app.ResourceNotifications.WaitForResourceHealthyAsync("bad", Ct));
    }

    [Fact]
    public async Task A_program_that_does_not_exist_and_a_callback_that_throws_fail_only_their_own_resource()
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddExecutable("ghost", "no-such-program-here", ".");
        builder.AddSample("thrower").WithEnvironment(_ => throw new InvalidOperationException("the callback said no"));
        builder.AddProject("unbuilt", "nowhere/unbuilt.csproj", launchProfileName: null);
        builder.AddSample("fine").Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        foreach (var name in (string[])["ghost", "thrower", "unbuilt"]) await app.StateAsync(name, s => s.State?.Text == KnownResourceStates.FailedToStart);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("fine", Ct);
        Assert.Contains("no-such-program-here", await app.LogAsync("ghost"), StringComparison.Ordinal);
        Assert.Contains("the callback said no", await app.LogAsync("thrower"), StringComparison.Ordinal);
        Assert.Contains("not built", await app.LogAsync("unbuilt"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_is_waited_for_until_it_ends_with_the_expected_code()
    {
        var builder = SampleProcesses.NewApplication("--NanoAspire:RestartOnCrash=true");
        var job = builder.AddExecutable("job", "sh", ".", "-c", "exit 4");
        builder.AddSample("after").WaitForCompletion(job, exitCode: 4).Checked();
        builder.AddSample("never").WaitForCompletion(job).Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("after", Ct);
        await app.StateAsync("never", s => s.State?.Text == KnownResourceStates.FailedToStart);
        Assert.Contains("expected '0'", await app.LogAsync("never"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ready_handlers_run_once_before_waiters_go_on_and_their_failure_is_the_waiters()
    {
        var builder = SampleProcesses.NewApplication();
        var seeded = 0;
        var store = builder.AddSample("store").Checked().OnResourceReady(async (_, _, ct) =>
        {
            await Task.Delay(100, ct);
            seeded++;
        });
        var sour = builder.AddSample("sour").Checked().OnResourceReady((_, _, _) => throw new InvalidOperationException("no seed"));
        builder.AddSample("user").WaitFor(store).Checked().OnBeforeResourceStarted((_, _, _) => Task.CompletedTask);
        builder.AddSample("loser").WaitFor(sour).Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("user", Ct);
        Assert.Equal(1, seeded);
        await app.StateAsync("loser", s => s.State?.Text == KnownResourceStates.FailedToStart);
        Assert.Contains("no seed", await app.LogAsync("loser"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_explicit_start_waits_for_the_command_and_a_start_command_ends_a_wait()
    {
        var builder = SampleProcesses.NewApplication();
        var lazy = builder.AddSample("lazy").WithExplicitStart().Checked();
        builder.AddSample("impatient").WaitFor(lazy).Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceAsync("impatient", KnownResourceStates.Waiting, Ct);
        Assert.True(app.ResourceNotifications.TryGetCurrentState("lazy", out var state));
        Assert.Equal(KnownResourceStates.NotStarted, state.Snapshot.State?.Text);

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("impatient", KnownResourceCommands.StartCommand, Ct)).Success);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("impatient", Ct);
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("lazy", "start", Ct)).Success);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("lazy", Ct);
        Assert.False((await app.ResourceCommands.ExecuteCommandAsync("lazy", KnownResourceCommands.StartCommand, Ct)).Success);
    }

    [Fact]
    public async Task A_http_command_posts_to_the_resource_and_judges_the_answer()
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddSample("web").Checked()
            .WithHttpCommand("/echo", "Echo", commandName: "echo")
            .WithHttpCommand("/missing", "Missing", commandName: "missing");
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("web", "echo", Ct)).Success);
        var missing = await app.ResourceCommands.ExecuteCommandAsync("web", "missing", Ct);
        Assert.Contains(((int)HttpStatusCode.NotFound).ToString(System.Globalization.CultureInfo.InvariantCulture), missing.ErrorMessage, StringComparison.Ordinal);
        Assert.False((await app.ResourceCommands.ExecuteCommandAsync("web", "unknown", Ct)).Success);
        Assert.False((await app.ResourceCommands.ExecuteCommandAsync("nobody", "echo", Ct)).Success);
    }

    [Fact]
    public async Task A_custom_resource_lives_in_its_initialize_event()
    {
        var builder = SampleProcesses.NewApplication();
        var custom = builder.AddResource(new CustomResource("custom"))
            .WithInitialState(new CustomResourceSnapshot { ResourceType = "Custom", Properties = [] })
            .OnInitializeResource(async (resource, e, ct) =>
            {
                await Task.Delay(50, ct);
                await e.Notifications.PublishUpdateAsync(resource, s => s with { State = KnownResourceStates.Running });
            });
        builder.AddSample("web").WaitFor(custom).Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
    }

    private sealed class CustomResource(string name) : Resource(name);
}
