using System.Globalization;

namespace NanoAspire.Hosting.Tests.Run;

/// <summary>How containers find each other and the processes beside them, told by a runtime whose gateway is 127.0.0.2.</summary>
public sealed class ContainerNetworkTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_container_is_told_names_of_containers_and_reaches_a_process_that_listens_on_loopback_only()
    {
        using var runtime = new FakeContainerRuntime();
        var builder = SampleProcesses.NewApplication($"--ASPIRE_CONTAINER_RUNTIME={runtime.Path}");
        var web = builder.AddSample("web").Checked();
        var store = builder.AddContainer("store", "image").WithHttpEndpoint(targetPort: 9000);
        builder.AddContainer("user", "image").WithContainerName("user-1").WithReference(store.GetEndpoint("http")).WithReference(web).WaitFor(web);
        builder.AddContainer("apart", "image").WithContainerName("apart-1").WithContainerRuntimeArgs("--network=host");
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await runtime.RunAsync("user-1", Ct);
        await app.StateAsync("user", s => s.State?.Text == KnownResourceStates.Running);
        var port = app.GetEndpoint("web").Port.ToString(CultureInfo.InvariantCulture);
        Assert.Equal("http://store.dev.internal:9000", runtime.Variable("user-1", "services__store__http__0"));
        Assert.Equal($"http://host.docker.internal:{port}", runtime.Variable("user-1", "services__web__http__0"));
        Assert.DoesNotContain("--network-alias", await runtime.RunAsync("apart-1", Ct));

        using var inside = new HttpClient();
        using var answer = await inside.GetAsync($"http://127.0.0.2:{port}/health", Ct);
        Assert.True(answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_persistent_container_outlives_the_host_and_is_made_anew_only_when_the_model_changes()
    {
        using var runtime = new FakeContainerRuntime();
        var ports = new HashSet<int>();
        for (var run = 0; run < 2; run++)
        {
            await using var app = await StartAsync("one");
            ports.Add(app.GetEndpoint("store", "http").Port);
            await app.StopAsync(Ct);
        }
        Assert.Equal("created started started", runtime.Lives("kept"));
        Assert.Single(ports);
        Assert.Single(runtime.Networks());

        await using (var changed = await StartAsync("two"))
        {
            Assert.Equal("created started started removed created started", runtime.Lives("kept"));
            Assert.True((await changed.ResourceCommands.ExecuteCommandAsync("store", KnownResourceCommands.StopCommand, Ct)).Success);
            Assert.EndsWith(" started stopped", runtime.Lives("kept"), StringComparison.Ordinal);
            Assert.Equal("two", runtime.Variable("kept", "MODE"));
        }
        Assert.EndsWith(" started stopped", runtime.Lives("kept"), StringComparison.Ordinal);

        async Task<DistributedApplication> StartAsync(string mode)
        {
            var builder = SampleProcesses.NewApplication($"--ASPIRE_CONTAINER_RUNTIME={runtime.Path}");
            builder.AddContainer("store", "image").WithHttpEndpoint(targetPort: 9000).WithContainerName("kept").WithEnvironment("MODE", mode).WithLifetime(ContainerLifetime.Persistent);
            var app = await builder.BuildAsync(Ct);
            await app.StartAsync(Ct);
            await foreach (var batch in ((ResourceLoggerService)app.Services.GetService(typeof(ResourceLoggerService))!).WatchAsync("store").WithCancellation(Ct))
            {
                if (batch.Any(l => l.Content == "attached to kept")) break;
            }
            await app.StateAsync("store", s => s.State?.Text == KnownResourceStates.Running);
            return app;
        }
    }

    [Fact]
    public async Task A_container_of_somebody_else_is_not_taken_over()
    {
        using var runtime = new FakeContainerRuntime();
        runtime.AddForeign("kept");
        var builder = SampleProcesses.NewApplication($"--ASPIRE_CONTAINER_RUNTIME={runtime.Path}");
        builder.AddContainer("store", "image").WithContainerName("kept").WithLifetime(ContainerLifetime.Persistent);
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        var failed = await app.StateAsync("store", s => s.State?.Text == KnownResourceStates.FailedToStart);
        Assert.Equal("a container 'kept' exists that this application did not make", failed.Properties.Single(p => p.Name == "resource.failureReason").Value);
        Assert.Equal("", runtime.Lives("kept"));
    }
}
