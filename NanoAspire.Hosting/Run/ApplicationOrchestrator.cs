using System.Reflection;
using System.Runtime.InteropServices;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NanoAspire.Hosting.Model;

namespace NanoAspire.Hosting.Run;

/// <summary>Runs the model: gives out ports, starts every resource when its dependencies allow, and stops all in reverse order.</summary>
internal sealed class ApplicationOrchestrator(DistributedApplicationModel model, ResourceNotificationService notifications, ResourceLoggerService logs,
    IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext execution, IConfiguration configuration, HostAssembly host, HostSecrets secrets,
    IOptions<HealthCheckServiceOptions> checks, IServiceProvider provider, TimeProvider time, ILogger<DistributedApplication> logger) : IHostedService, IAsyncDisposable
{
    /// <summary>How long the processes of one layer get to end by themselves.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly Dictionary<IResource, ResourceRunner> _runners = [];
    private readonly CancellationTokenSource _stopping = new();
    private ProcessStarter? _starter;
    private ProcessFactory? _factory;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!execution.IsRunMode) return;
        ModelChecks.Check(model, checks.Value);
        _starter = new ProcessStarter();
        var factory = _factory = new ProcessFactory(_starter, execution, logs, new HostIdentity(host.Assembly, (configuration["AppHost:Sha256"] ?? "00000000")[..8].ToLowerInvariant()));
        var services = new RunServices(notifications, logs, eventing, _starter, factory, provider, time);

        var resources = model.Resources.ToArray();
        if (ParameterPrompt.ForTerminal(configuration) is { } prompt) await prompt.AskAsync(resources, configuration, secrets.Value, cancellationToken).ConfigureAwait(false);
        var missing = await factory.FindToolsAsync(resources, configuration["ASPIRE_CONTAINER_RUNTIME"] ?? configuration["DcpPublisher:ContainerRuntime"], cancellationToken).ConfigureAwait(false);
        foreach (var (resource, reason) in missing)
        {
            resource.Annotations.Add(new UnavailableAnnotation(reason));
            logs.Write(resource.Name, Availability.Describe(resource, reason, model), isError: false);
        }

        var completed = resources.SelectMany(r => r.Annotations.OfType<WaitAnnotation>()).Where(w => w.WaitType == WaitType.WaitForCompletion).Select(w => w.Resource).ToHashSet();
        var restart = configuration["NanoAspire:RestartOnCrash"] is not "false";
        foreach (var resource in resources.Where(r => ProcessFactory.Runs(r) && !Availability.IsUnavailable(r)))
        {
            resource.Annotations.Add(new InstancesAnnotation { Instances = [.. Enumerable.Range(0, resource.GetReplicaCount()).Select(i => new ResourceInstance(resource, i))] });
            foreach (var id in ResourceInstance.IdsOf(resource)) logs.Link(id, resource.Name);
            if (restart && !completed.Contains(resource) && !resource.HasAnnotationOfType<RestartPolicyAnnotation>()) resource.Annotations.Add(new RestartPolicyAnnotation());
            LifecycleCommands.AddTo(resource, this);
            ScaleCommands.AddTo(resource, this);
        }
        foreach (var resource in resources) await FirstSnapshot.PublishAsync(resource, ResourceInstance.IdsOf(resource), notifications, time, cancellationToken).ConfigureAwait(false);

        var randomize = string.Equals(configuration["DcpPublisher:RandomizePorts"], "true", StringComparison.OrdinalIgnoreCase);
        foreach (var resource in resources.Where(r => r.HasAnnotationOfType<InstancesAnnotation>())) Allocate(resource, randomize, services);
        FailUnknownEndpoints(resources);
        foreach (var resource in resources)
        {
            if (resource is IResourceWithEndpoints && _runners.ContainsKey(resource))
            {
                await eventing.PublishAsync(new ResourceEndpointsAllocatedEvent(resource, provider), cancellationToken).ConfigureAwait(false);
                await ResourceUrls.PublishAsync(resource, ResourceInstance.IdsOf(resource), execution, notifications, cancellationToken).ConfigureAwait(false);
            }
        }
        foreach (var resource in resources)
        {
            _ = InitializeAsync(resource);
            if (resource is IResourceWithConnectionString && !Availability.IsUnavailable(resource))
            {
                await eventing.PublishAsync(new ConnectionStringAvailableEvent(resource, provider), cancellationToken).ConfigureAwait(false);
            }
        }
        foreach (var runner in _runners.Values.Where(r => !r.Resource.HasAnnotationOfType<ExplicitStartupAnnotation>())) await runner.StartAllAsync(_stopping.Token).ConfigureAwait(false);
        await eventing.PublishAsync(new AfterResourcesCreatedEvent(provider, model), cancellationToken).ConfigureAwait(false);
        Log.Started(logger);
    }

    /// <summary>Stops layer after layer, those first that nobody else needs. When the token fires, or on another Ctrl+C, what is left is killed.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var hurry = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var again = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            Log.Hurry(logger);
            hurry.Cancel();
        });
        await _stopping.CancelAsync().ConfigureAwait(false);
        foreach (var layer in ModelChecks.StopOrder(model))
        {
            await Task.WhenAll(layer.Where(_runners.ContainsKey).Select(r => _runners[r].StopAllAsync(Grace, hurry.Token))).ConfigureAwait(false);
        }
        if (_factory is not null) await _factory.DisposeAsync().ConfigureAwait(false);      // a network goes when nobody is in it
    }

    public Task<ExecuteCommandResult> StartAsync(IResource resource, string instanceId, CancellationToken ct) => OnRunner(resource, r => r.StartAsync(instanceId, ct));
    public Task<ExecuteCommandResult> StopAsync(IResource resource, string instanceId, CancellationToken ct) => OnRunner(resource, r => r.StopAsync(instanceId, Grace, ct));
    public Task<ExecuteCommandResult> RestartAsync(IResource resource, string instanceId, CancellationToken ct) => OnRunner(resource, r => r.RestartAsync(instanceId, Grace, ct));

    public Task<ExecuteCommandResult> ScaleUpAsync(IResource resource, CancellationToken ct) => OnRunner(resource, r => r.ScaleUpAsync(execution, ct));
    public Task<ExecuteCommandResult> ScaleDownAsync(IResource resource, string nameOrId, CancellationToken ct) => OnRunner(resource, r => r.ScaleDownAsync(nameOrId, ct));

    public async ValueTask DisposeAsync()
    {
        foreach (var runner in _runners.Values) await runner.DisposeAsync().ConfigureAwait(false);
        if (_factory is not null) await _factory.DisposeAsync().ConfigureAwait(false);
        _starter?.Dispose();
        _stopping.Dispose();
    }

    private void Allocate(IResource resource, bool randomize, RunServices services)
    {
        try
        {
            var plan = EndpointPlan.Allocate(resource, randomize, line => logs.Write(resource.Name, line, isError: false));
            _runners[resource] = new ResourceRunner(resource, plan, services);
        }
        catch (DistributedApplicationException e)
        {
            foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>().Where(x => x.AllocatedEndpoint is null)) endpoint.FailAllocation(e.Message);
            logs.Write(resource.Name, e.Message, isError: true);
            _ = Fail(resource, e.Message);
        }
    }

    /// <summary>A reference to something that was taken out of the model, or cannot run here, fails its user instead of making it wait for ever.</summary>
    private void FailUnknownEndpoints(IResource[] resources)
    {
        foreach (var other in resources.SelectMany(r => r.Annotations.OfType<ResourceRelationshipAnnotation>()).Select(r => r.Resource).Distinct())
        {
            if (_runners.ContainsKey(other) || (resources.Contains(other) && !Availability.IsUnavailable(other))) continue;
            var reason = resources.Contains(other) ? $"Resource '{other.Name}' is not available on this machine." : $"Resource '{other.Name}' is referred to, but is not part of the application.";
            foreach (var endpoint in other.Annotations.OfType<EndpointAnnotation>().Where(e => e.AllocatedEndpoint is null)) endpoint.FailAllocation(reason);
        }
    }

    /// <summary>Custom resources may live in this event for as long as they please, so nobody waits for it.</summary>
    private async Task InitializeAsync(IResource resource)
    {
        try
        {
            await eventing.PublishAsync(new InitializeResourceEvent(resource, eventing, logs, notifications, provider), _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // the host stops
        }
#pragma warning disable CA1031 // the handler is other people's code; its resource fails, the host goes on
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.InitializeFailed(logs.GetLogger(resource), e);
            await Fail(resource, e.Message).ConfigureAwait(false);
        }
    }

    private Task Fail(IResource resource, string reason) => notifications.PublishUpdateAsync(resource, s => s with
    {
        State = new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error),
        Properties = RunningSnapshot.WithReason(s.Properties, reason),
    });

    private Task<ExecuteCommandResult> OnRunner(IResource resource, Func<ResourceRunner, Task<ExecuteCommandResult>> action) =>
        _runners.TryGetValue(resource, out var runner) ? action(runner) : Task.FromResult(CommandResults.Failure($"'{resource.Name}' is not run by this host."));
}

/// <summary>The assembly whose program describes the application, if any.</summary>
internal sealed record HostAssembly(Assembly? Assembly);

/// <summary>Where the host keeps generated values, if anywhere.</summary>
internal sealed record HostSecrets(UserSecrets? Value);
