using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Aspire.Hosting.Pipelines;
using Aspire.Hosting.Publishing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Hosting.Tests.Surface;

/// <summary>
/// Calls of the application, its builder, events, notifications and commands as programs written for Aspire 13.1 make them, arguments by their names.
/// Nothing runs: that it compiles is the test.
/// </summary>
[SuppressMessage("Usage", "CA2012", Justification = "never executed")]
[SuppressMessage("Performance", "CA1859", Justification = "the declared types are the point")]
[SuppressMessage("Usage", "CA2016", Justification = "so does the call without a token compile")]
internal static class ApplicationSurface
{
    public static async Task Application(IHost host, CancellationToken ct)
    {
        IDistributedApplicationBuilder builder = DistributedApplication.CreateBuilder();
        builder = DistributedApplication.CreateBuilder(args: ["a"]);
        builder = DistributedApplication.CreateBuilder(options: new DistributedApplicationOptions
        {
            Args = ["a"], AssemblyName = "a", ProjectDirectory = "p", DisableDashboard = true, AllowUnsecuredTransport = true,
            EnableResourceLogging = true, ContainerRegistryOverride = "r", DashboardApplicationName = "d", TrustDeveloperCertificate = false,
        });
        var own = new DistributedApplicationBuilder(args: ["a"]);
        own = new DistributedApplicationBuilder(options: new DistributedApplicationOptions());
        string path = own.AppHostPath;
        ConfigurationManager configuration = builder.Configuration;
        string directory = builder.AppHostDirectory;
        Assembly? assembly = builder.AppHostAssembly;
        IHostEnvironment environment = builder.Environment;
        IServiceCollection services = builder.Services;
        IDistributedApplicationEventing eventing = builder.Eventing;
        DistributedApplicationExecutionContext execution = builder.ExecutionContext;
        IResourceCollection resources = builder.Resources;
        IDistributedApplicationPipeline pipeline = builder.Pipeline;
        IResourceBuilder<ContainerResource> added = builder.AddResource(resource: new ContainerResource("c"));
        added = builder.CreateResourceBuilder(resource: added.Resource);
        added = builder.CreateResourceBuilder<ContainerResource>(name: "c");
        bool there = builder.TryCreateResourceBuilder<ContainerResource>(name: "c", out IResourceBuilder<ContainerResource>? found);
        await using DistributedApplication application = builder.Build();
        IServiceProvider provider = application.Services;
        ResourceNotificationService notifications = application.ResourceNotifications;
        ResourceCommandService commands = application.ResourceCommands;
        application.Run();
        await application.RunAsync(cancellationToken: ct);
        await application.StartAsync(cancellationToken: ct);
        await application.StopAsync(cancellationToken: ct);
        application.Dispose();
        IHost asHost = new Derived(host);
        bool modes = execution.IsPublishMode || execution.IsRunMode || execution.Operation == DistributedApplicationOperation.Run || (int)DistributedApplicationOperation.Publish == 1;
        execution.PublisherName = "manifest";
        provider = execution.ServiceProvider;
        execution = new DistributedApplicationExecutionContext(operation: DistributedApplicationOperation.Publish);
        execution = new DistributedApplicationExecutionContext(operation: DistributedApplicationOperation.Publish, publisherName: "p");
        execution = new DistributedApplicationExecutionContext(options: new DistributedApplicationExecutionContextOptions(DistributedApplicationOperation.Run));
        Exception[] errors = [new DistributedApplicationException("m"), new MissingParameterValueException("m")];
        DistributedApplicationException sub = new MissingParameterValueException("m");
        _ = (path, configuration, directory, assembly, environment, services, eventing, resources, pipeline, there, found, notifications, commands, asHost, modes, errors, sub);
    }

    public static async Task Commands(IResourceBuilder<ContainerResource> builder, ResourceCommandService commands, EndpointReference endpoint, CancellationToken ct)
    {
        builder = builder.WithCommand(name: "n", displayName: "d", executeCommand: context => Run(context), commandOptions: new CommandOptions
        {
            Description = "d", Parameter = 1, ConfirmationMessage = "m", IconName = "i", IconVariant = IconVariant.Filled, IsHighlighted = true,
            UpdateState = (UpdateCommandStateContext context) => context.ServiceProvider is null || context.ResourceSnapshot.IsHidden ? ResourceCommandState.Hidden : ResourceCommandState.Enabled,
        });
        builder = builder.WithCommand("n", "d", Run);
        builder = builder.WithHttpCommand(path: "/p", displayName: "d", endpointName: "http", commandName: "n", commandOptions: new HttpCommandOptions
        {
            EndpointSelector = () => endpoint, HttpClientName = "h", Method = HttpMethod.Get,
            PrepareRequest = (HttpCommandRequestContext context) => Task.CompletedTask,
            GetCommandResult = (HttpCommandResultContext context) => Task.FromResult(CommandResults.Success()),
        });
        builder = builder.WithHttpCommand(path: "/p", displayName: "d", endpointSelector: () => endpoint, commandName: "n", commandOptions: null);
        ExecuteCommandResult result = await commands.ExecuteCommandAsync(resourceId: "c", commandName: KnownResourceCommands.StartCommand, cancellationToken: ct);
        result = await commands.ExecuteCommandAsync(resource: builder.Resource, commandName: KnownResourceCommands.StopCommand, cancellationToken: ct);
        string restart = KnownResourceCommands.RestartCommand;
        result = new ExecuteCommandResult { Success = true, ErrorMessage = "m", Canceled = false };
        result = CommandResults.Failure(errorMessage: "m");
        result = CommandResults.Failure();
        result = CommandResults.Failure(exception: new InvalidOperationException());
        result = CommandResults.Canceled();
        _ = (restart, result, ResourceCommandState.Disabled);

        static Task<ExecuteCommandResult> Run(ExecuteCommandContext context)
        {
            var copy = new ExecuteCommandContext { ServiceProvider = context.ServiceProvider, ResourceName = context.ResourceName, CancellationToken = context.CancellationToken };
            return Task.FromResult(copy.ResourceName.Length > 0 ? CommandResults.Success() : CommandResults.Failure());
        }
    }

    public static async Task Notifications(ResourceNotificationService notifications, ResourceLoggerService logs, IResource resource, CancellationToken ct)
    {
        IAsyncEnumerable<ResourceEvent> events = notifications.WatchAsync(cancellationToken: ct);
        await notifications.WaitForResourceAsync(resourceName: "r", targetState: KnownResourceStates.Running, cancellationToken: ct);
        await notifications.WaitForResourceAsync("r", cancellationToken: ct);
        string state = await notifications.WaitForResourceAsync(resourceName: "r", targetStates: KnownResourceStates.TerminalStates, cancellationToken: ct);
        ResourceEvent e = await notifications.WaitForResourceAsync(resourceName: "r", predicate: re => re.Snapshot.HealthStatus is not null, cancellationToken: ct);
        e = await notifications.WaitForResourceHealthyAsync(resourceName: "r", cancellationToken: ct);
        e = await notifications.WaitForResourceHealthyAsync(resourceName: "r", waitBehavior: WaitBehavior.StopOnResourceUnavailable, cancellationToken: ct);
        await notifications.WaitForDependenciesAsync(resource: resource, cancellationToken: ct);
        bool known = notifications.TryGetCurrentState(resourceId: "r", out ResourceEvent? current);
        await notifications.PublishUpdateAsync(resource: resource, stateFactory: s => s with { State = "x" });
        await notifications.PublishUpdateAsync(resource: resource, resourceId: "r", stateFactory: s => s);
        e = new ResourceEvent(resource: e.Resource, resourceId: e.ResourceId, snapshot: e.Snapshot);
        var options = new ResourceNotificationServiceOptions { DefaultWaitBehavior = WaitBehavior.WaitOnResourceUnavailable };
        var snapshot = new CustomResourceSnapshot
        {
            ResourceType = "t",
            Properties = [new ResourcePropertySnapshot("n", 1) { IsSensitive = true }],
            State = new ResourceStateSnapshot("Running", KnownResourceStateStyles.Success),
            ExitCode = 0, CreationTimeStamp = DateTime.UnixEpoch, StartTimeStamp = DateTime.UnixEpoch, StopTimeStamp = DateTime.UnixEpoch,
            EnvironmentVariables = [new EnvironmentVariableSnapshot("n", "v", IsFromSpec: true)],
            Urls = [new UrlSnapshot("n", "u", IsInternal: false) { IsInactive = true, DisplayProperties = new UrlDisplayPropertiesSnapshot("d", 0) }],
            Volumes = [], Commands = [], Relationships = [new RelationshipSnapshot("r", "Reference")], IsHidden = true, IconName = "i", IconVariant = IconVariant.Regular,
        };
        var reports = snapshot.HealthReports;
        string[] states =
        [
            KnownResourceStates.NotStarted, KnownResourceStates.Waiting, KnownResourceStates.Starting, KnownResourceStates.RuntimeUnhealthy, KnownResourceStates.FailedToStart,
            KnownResourceStates.Stopping, KnownResourceStates.Exited, KnownResourceStates.Finished, KnownResourceStates.Active,
            KnownResourceStateStyles.Error, KnownResourceStateStyles.Info, KnownResourceStateStyles.Warn,
        ];
        ILogger logger = logs.GetLogger(resource: resource);
        logger = logs.GetLogger(resourceName: "r");
        IAsyncEnumerable<IReadOnlyList<LogLine>> lines = logs.WatchAsync(resource: resource);
        lines = logs.WatchAsync(resourceName: "r");
        lines = logs.GetAllAsync(resource: resource);
        lines = logs.GetAllAsync(resourceName: "r");
        logs.Complete(resource: resource);
        logs.Complete(name: "r");
        logs.ClearBacklog(resourceName: "r");
        await foreach (LogSubscriber any in logs.WatchAnySubscribersAsync(cancellationToken: ct)) _ = any;
        var line = new LogLine(LineNumber: 1, Content: "c", IsErrorMessage: false);
        _ = (events, state, known, current, options, reports, states, logger, lines, line);
    }

    public static async Task Events(IDistributedApplicationBuilder builder, IResourceBuilder<RedisResource> redis, IServiceCollection services, CancellationToken ct)
    {
        var eventing = builder.Eventing;
        DistributedApplicationEventSubscription subscription = eventing.Subscribe<BeforeStartEvent>(callback: (e, token) => Use(e.Services, e.Model));
        eventing.Subscribe<AfterResourcesCreatedEvent>((e, token) => Use(e.Services, e.Model));
        eventing.Subscribe<BeforePublishEvent>((e, token) => Use(e.Services, e.Model));
        eventing.Subscribe<AfterPublishEvent>((e, token) => Use(e.Services, e.Model));
        eventing.Subscribe<InitializeResourceEvent>(resource: redis.Resource, callback: (e, token) => Use(e.Resource, e.Services, e.Eventing, e.Logger, e.Notifications));
        eventing.Subscribe<ResourceEndpointsAllocatedEvent>(redis.Resource, (e, token) => Use(e.Resource, e.Services));
        eventing.Subscribe<ConnectionStringAvailableEvent>(redis.Resource, (e, token) => Use(e.Resource, e.Services));
        eventing.Subscribe<BeforeResourceStartedEvent>(redis.Resource, (e, token) => Use(e.Resource, e.Services));
        eventing.Subscribe<ResourceReadyEvent>(redis.Resource, (e, token) => Use(e.Resource, e.Services));
        eventing.Subscribe<ResourceStoppedEvent>(redis.Resource, (e, token) => Use(e.Resource, e.Services, e.ResourceEvent));
        eventing.Unsubscribe(subscription: subscription);
        await eventing.PublishAsync(@event: new ResourceReadyEvent(redis.Resource, null!), cancellationToken: ct);
        await eventing.PublishAsync(@event: new ResourceReadyEvent(redis.Resource, null!), dispatchBehavior: EventDispatchBehavior.BlockingSequential, cancellationToken: ct);
        redis.OnInitializeResource((RedisResource r, InitializeResourceEvent e, CancellationToken token) => Task.CompletedTask)
            .OnResourceEndpointsAllocated((RedisResource r, ResourceEndpointsAllocatedEvent e, CancellationToken token) => Task.CompletedTask)
            .OnConnectionStringAvailable((RedisResource r, ConnectionStringAvailableEvent e, CancellationToken token) => Task.CompletedTask)
            .OnBeforeResourceStarted((RedisResource r, BeforeResourceStartedEvent e, CancellationToken token) => Task.CompletedTask)
            .OnResourceReady((RedisResource r, ResourceReadyEvent e, CancellationToken token) => Task.CompletedTask)
            .OnResourceStopped((RedisResource r, ResourceStoppedEvent e, CancellationToken token) => Task.CompletedTask);
        services.AddEventingSubscriber<Subscriber>();
        services.TryAddEventingSubscriber<Subscriber>();
        _ = (EventDispatchBehavior.BlockingConcurrent, EventDispatchBehavior.NonBlockingSequential, EventDispatchBehavior.NonBlockingConcurrent);

        static Task Use(params object?[] values) => Task.FromResult(values);
    }

    private sealed class Derived(IHost host) : DistributedApplication(host: host)
    {
        public override Task RunAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
        public override Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
        public override Task StopAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
        public override void Dispose() => base.Dispose();
        public override ValueTask DisposeAsync() => base.DisposeAsync();
    }

    private sealed class Subscriber : IDistributedApplicationEventingSubscriber
    {
        public Task SubscribeAsync(IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext executionContext, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
