using System.Globalization;

namespace NanoAspire.Hosting.Tests.Run;

/// <summary>What the container runtime is told; no container is run.</summary>
public sealed class ContainerTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_command_line_says_everything_the_model_says_but_no_secret_value()
    {
        using var runtime = new FakeContainerRuntime();
        var builder = SampleProcesses.NewApplication($"--ASPIRE_CONTAINER_RUNTIME={runtime.Path}");
        var secret = builder.AddParameter("secret", "s3cret", secret: true);
        var store = builder.AddContainer("store", "registry.example.com/team/store:1.2")
            .WithHttpEndpoint(targetPort: 8080).WithVolume("store-data", "/data").WithBindMount("/etc/hosts", "/config", isReadOnly: true)
            .WithEnvironment("SECRET", secret).WithEntrypoint("/bin/store").WithArgs("--verbose", "two words")
            .WithContainerRuntimeArgs("--gpus", "all").WithImagePullPolicy(ImagePullPolicy.Always);
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        var logs = (ResourceLoggerService)app.Services.GetService(typeof(ResourceLoggerService))!;
        await foreach (var batch in logs.WatchAsync("store").WithCancellation(Ct))
        {
            if (batch.Any(l => l.Content == "SECRET is s3cret")) break;
        }
        Assert.True(app.ResourceNotifications.TryGetCurrentState("store", out var state));
        var port = store.GetEndpoint("http").Port.ToString(CultureInfo.InvariantCulture);
        Assert.Equal(
        [
            "--rm", "--init", "--name", state.ResourceId, "--network", Assert.Single(runtime.Networks()), "--network-alias", "store", "--network-alias", "store.dev.internal",
            "--add-host", "host.docker.internal:127.0.0.2", "--pull", "always", "-p", $"127.0.0.1:{port}:8080",
            "--mount", "type=volume,source=store-data,target=/data", "--mount", "type=bind,source=/etc/hosts,target=/config,readonly",
            "-e", "SECRET", "--entrypoint", "/bin/store", "--gpus", "all", "registry.example.com/team/store:1.2", "--verbose", "two words",
        ], await runtime.RunAsync(state.ResourceId, Ct));

        await app.StopAsync(Ct);
        Assert.True(app.ResourceNotifications.TryGetCurrentState("store", out var end));
        Assert.Equal((KnownResourceStates.Exited, 0), (end.Snapshot.State?.Text, end.Snapshot.ExitCode));
        Assert.Equal(["rm", "--force", state.ResourceId], runtime.Call("rm"));
        Assert.Empty(runtime.Networks());
    }

    [Fact]
    public async Task A_dockerfile_is_built_before_its_container_runs()
    {
        using var runtime = new FakeContainerRuntime();
        var context = Directory.CreateTempSubdirectory("nanoaspire-context-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(context.FullName, "Dockerfile"), "FROM scratch\n", Ct);
            var builder = SampleProcesses.NewApplication($"--ASPIRE_CONTAINER_RUNTIME={runtime.Path}");
            builder.AddDockerfile("made", context.FullName, stage: "final").WithBuildArg("VERSION", 3).WithContainerName("made-by-hand");
            await using var app = await builder.BuildAsync(Ct);
            await app.StartAsync(Ct);
            await app.ResourceNotifications.WaitForResourceAsync("made", KnownResourceStates.Running, Ct);
            var build = runtime.Call("build");
            Assert.Equal(["--file", Path.Combine(context.FullName, "Dockerfile"), "--target", "final", "--build-arg", "VERSION=3", context.FullName], build[3..]);
            Assert.Contains(build[2], await runtime.RunAsync("made-by-hand", Ct));
            Assert.Contains("Step 1/1", await app.LogAsync("made"), StringComparison.Ordinal);
        }
        finally
        {
            context.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_build_that_fails_and_a_runtime_that_is_not_there_are_told_in_one_line()
    {
        using var runtime = new FakeContainerRuntime(buildExitCode: 7);
        Assert.Equal("building the image of 'made' failed with code 7: Step 1/1", await FailureAsync(runtime.Path, b => b.AddDockerfile("made", Path.GetTempPath())));
        Assert.Equal("container 'made' needs docker or podman, and neither answers on this machine", await FailureAsync("/no/such/runtime", b => b.AddContainer("made", "image")));
    }

    private static async Task<object?> FailureAsync(string runtime, Action<IDistributedApplicationBuilder> add)
    {
        var builder = SampleProcesses.NewApplication($"--ASPIRE_CONTAINER_RUNTIME={runtime}");
        add(builder);
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        var state = await app.StateAsync("made", s => s.State?.Text == KnownResourceStates.FailedToStart);
        return state.Properties.Single(p => p.Name == "resource.failureReason").Value;
    }
}
