using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NanoAspire.Hosting.Tests.Run;
using NanoAspire.Tests;

namespace NanoAspire.Hosting.Tests.Testing;

public sealed class TestingBuilderTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Skip = Needs.RedisReason, SkipUnless = nameof(Needs.Redis), SkipType = typeof(Needs))]
    [Trait("needs", "redis")]
    public async Task A_host_program_runs_under_test_with_random_ports_and_its_logs()
    {
        var logs = new LogSink();
        var appHost = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Hosting_SampleAppHost>(["--port", "1"], Ct);
        appHost.Services.AddLogging(logging => logging.AddProvider(logs));
        await using var app = await appHost.BuildAsync(Ct);
        Assert.Throws<InvalidOperationException>(() => app.CreateHttpClient("front"));
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("front", Ct);
        Assert.NotEqual(1, app.GetEndpoint("front").Port);
        Assert.Equal("", await app.CreateHttpClient("front").GetStringAsync("/health", Ct));
        Assert.Matches("^localhost:[0-9]+,password=[A-Za-z0-9]{22}$", await app.GetConnectionStringAsync("redis", Ct));
        Assert.Equal(await app.GetConnectionStringAsync("redis", Ct), (await app.EnvironmentOfAsync("back"))["ConnectionStrings__redis"]);
        Assert.Contains(logs.Entries, e => e.Category == "Hosting.SampleAppHost.Resources.back" && e.Text.Contains("sample back starts", StringComparison.Ordinal));
        Assert.Throws<ArgumentException>(() => app.GetEndpoint("nobody"));
        Assert.Throws<ArgumentException>(() => app.GetEndpoint("front", "nothing"));
    }

    [Fact(Skip = Needs.RedisReason, SkipUnless = nameof(Needs.Redis), SkipType = typeof(Needs))]
    [Trait("needs", "redis")]
    public async Task The_model_can_be_changed_before_it_is_built()
    {
        await using var appHost = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Hosting_SampleAppHost>(Ct);
        appHost.Resources.Remove(appHost.Resources.Single(r => r.Name == "front"));
        appHost.CreateResourceBuilder<ProjectResource>("back").WithReplicas(2).WithEnvironment("ADDED", "by the test");
        await using var app = await appHost.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("back", Ct);
        Assert.Equal("by the test", (await app.EnvironmentOfAsync("back"))["ADDED"]);
        Assert.Throws<ArgumentException>(() => app.GetEndpoint("front"));
    }

    [Fact]
    public async Task A_reference_to_a_resource_that_was_taken_out_fails_with_its_name()
    {
        await using var appHost = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Hosting_SampleAppHost>(Ct);
        appHost.Resources.Remove(appHost.Resources.Single(r => r.Name == "redis"));
        var back = appHost.CreateResourceBuilder<ProjectResource>("back").Resource;
        foreach (var wait in back.Annotations.OfType<WaitAnnotation>().ToArray()) back.Annotations.Remove(wait);
        await using var app = await appHost.BuildAsync(Ct);
        await app.StartAsync(Ct);
        var state = await app.StateAsync("back", s => s.State?.Text == KnownResourceStates.FailedToStart);
        Assert.Contains("'redis'", (string)state.Properties.Single(p => p.Name == "resource.failureReason").Value!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_builder_that_is_never_built_ends_its_program()
    {
        var appHost = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Hosting_SampleAppHost>(["--operation", "publish"], Ct);
        Assert.True(appHost.ExecutionContext.IsPublishMode);
        Assert.Equal(["redis", "back", "front"], appHost.Resources.Select(r => r.Name));
        await appHost.DisposeAsync();
    }

    [Fact]
    public async Task What_the_program_throws_reaches_the_test()
    {
        var e = await Assert.ThrowsAsync<DistributedApplicationException>(() =>
            DistributedApplicationTestingBuilder.CreateAsync<Projects.Hosting_SampleAppHost>(["--operation", "fly"], Ct));
        Assert.Contains("fly", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_applications_run_side_by_side()
    {
        var (first, second) = (SampleProcesses.NewApplication(), SampleProcesses.NewApplication());
        first.AddSample("web").Checked();
        second.AddSample("web").Checked();
        await using var one = await first.BuildAsync(Ct);
        await using var two = await second.BuildAsync(Ct);
        await Task.WhenAll(one.StartAsync(Ct), two.StartAsync(Ct));
        await one.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        await two.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        Assert.NotEqual(await one.PidOfAsync("web"), await two.PidOfAsync("web"));
    }

    [Fact]
    public async Task A_factory_starts_a_host_in_one_go()
    {
        await using var factory = new NoRedisFactory();
        await factory.StartAsync(Ct);
        using var client = factory.CreateHttpClient("back");
        Assert.NotNull(client.BaseAddress);
    }

    private sealed class NoRedisFactory() : DistributedApplicationFactory(typeof(Projects.Hosting_SampleAppHost))
    {
        protected override void OnBuilding(DistributedApplicationBuilder applicationBuilder)
        {
            foreach (var resource in applicationBuilder.Resources.Where(r => r.Name != "back").ToArray()) applicationBuilder.Resources.Remove(resource);
        }
    }

    private sealed class LogSink : ILoggerProvider
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<(string Category, string Text)> _entries = new();

        public IEnumerable<(string Category, string Text)> Entries => _entries;
        public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _entries);
        public void Dispose()
        {
        }

        private sealed class Logger(string category, System.Collections.Concurrent.ConcurrentQueue<(string Category, string Text)> entries) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
            public bool IsEnabled(LogLevel logLevel) => true;
            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                entries.Enqueue((category, formatter(state, exception)));
        }
    }
}
