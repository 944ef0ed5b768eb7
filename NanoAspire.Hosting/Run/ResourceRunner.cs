using System.Collections.Immutable;

namespace NanoAspire.Hosting.Run;

/// <summary>The instances of one resource, started together, commanded one by one, and more or fewer while the application runs.</summary>
internal sealed class ResourceRunner : IAsyncDisposable
{
    /// <summary>What an instance that is taken away gets to finish its work: longer than a stop, because nobody waits for the host to end.</summary>
    private static readonly TimeSpan LeaveGrace = TimeSpan.FromSeconds(60);

    private readonly RunServices _services;
    private readonly EndpointPlan _endpoints;
    private readonly Lock _lock = new();
    private readonly HashSet<InstanceRunner> _leaving = [];
    private ImmutableArray<InstanceRunner> _instances;
    private CancellationTokenSource _skipWait = new();
    private bool _stopped;

    public ResourceRunner(IResource resource, EndpointPlan endpoints, RunServices services)
    {
        Resource = resource;
        _endpoints = endpoints;
        _services = services;
        _instances = [.. resource.Annotations.OfType<InstancesAnnotation>().SelectMany(a => a.Instances).Select(i => new InstanceRunner(i, endpoints, services))];
    }

    public IResource Resource { get; }

    /// <summary>Starts every instance after one common wait.</summary>
    public async Task StartAllAsync(CancellationToken ct)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var prepared = new Lazy<Task>(async () =>
        {
            await begun.Task.ConfigureAwait(false);              // Waiting is said of all of them, and none says Starting after it
            await PrepareAsync(_instances, ct).ConfigureAwait(false);
        });
        foreach (var instance in _instances) await instance.StartAsync(stop => prepared.Value.WaitAsync(stop), ct).ConfigureAwait(false);
        begun.SetResult();
    }

    /// <summary>The start command. On an instance that is waiting it means: do not wait any longer.</summary>
    public async Task<ExecuteCommandResult> StartAsync(string instanceId, CancellationToken ct)
    {
        if (Find(instanceId) is not { } instance) return NotFound(instanceId);
        if (_services.Notifications.TryGetCurrentState(instanceId, out var e) && e.Snapshot.State?.Text == KnownResourceStates.Waiting)
        {
            await _skipWait.CancelAsync().ConfigureAwait(false);
            return CommandResults.Success();
        }
        if (_skipWait.IsCancellationRequested) _skipWait = new CancellationTokenSource();
        var started = await instance.StartAsync(stop => PrepareAsync([instance], stop), ct).ConfigureAwait(false);
        return started ? CommandResults.Success() : CommandResults.Failure($"'{instanceId}' is already started.");
    }

    public async Task<ExecuteCommandResult> StopAsync(string instanceId, TimeSpan grace, CancellationToken ct)
    {
        if (Find(instanceId) is not { } instance) return NotFound(instanceId);
        await instance.StopAsync(grace, forGood: false, ct).ConfigureAwait(false);
        return CommandResults.Success();
    }

    public async Task<ExecuteCommandResult> RestartAsync(string instanceId, TimeSpan grace, CancellationToken ct)
    {
        if (Find(instanceId) is not { } instance) return NotFound(instanceId);
        await instance.StopAsync(grace, forGood: false, ct).ConfigureAwait(false);
        return await StartAsync(instanceId, ct).ConfigureAwait(false);
    }

    /// <summary>Starts one more instance; returns when it begins, not when it is healthy.</summary>
    public async Task<ExecuteCommandResult> ScaleUpAsync(DistributedApplicationExecutionContext execution, CancellationToken ct)
    {
        InstanceRunner added;
        lock (_lock)
        {
            if (_stopped) return CommandResults.Failure("The application is stopping.");
            if (_instances.Length >= ScaleCommands.MaxInstances) return CommandResults.Failure($"'{Resource.Name}' has {_instances.Length} instances, which is the limit.");
            try
            {
                EndpointPlan.CheckReplicas(Resource, _instances.Length + 1);
            }
            catch (DistributedApplicationException e)
            {
                return CommandResults.Failure(e.Message);
            }
            added = new InstanceRunner(new ResourceInstance(Resource, _instances.Max(i => i.Instance.Index) + 1), _endpoints, _services);
            SetInstances(_instances.Add(added));
        }
        var id = added.Instance.Id;
        _services.Logs.Link(id, Resource.Name);
        await FirstSnapshot.PublishAsync(Resource, [id], _services.Notifications, _services.Time, ct).ConfigureAwait(false);
        if (Resource is IResourceWithEndpoints) await ResourceUrls.PublishAsync(Resource, [id], execution, _services.Notifications, ct).ConfigureAwait(false);
        if (!await added.StartAsync(stop => PrepareAsync([added], stop), ct).ConfigureAwait(false)) return CommandResults.Failure("The application is stopping.");
        await RefreshCommandsAsync().ConfigureAwait(false);
        return CommandResults.Success();
    }

    /// <summary>Lets an instance finish and forgets it: the one with this id or, given the resource's name, the newest.</summary>
    public async Task<ExecuteCommandResult> ScaleDownAsync(string nameOrId, CancellationToken ct)
    {
        InstanceRunner? instance;
        lock (_lock)
        {
            var staying = _instances.Where(i => !_leaving.Contains(i)).ToArray();
            if (staying.Length < 2) return CommandResults.Failure($"'{Resource.Name}' has only one instance: stop it instead.");
            instance = string.Equals(nameOrId, Resource.Name, StringComparison.OrdinalIgnoreCase)
                ? staying.MaxBy(i => i.Instance.Index)
                : Array.Find(staying, i => IsCalled(i, nameOrId));
            if (instance is null) return NotFound(nameOrId);
            _leaving.Add(instance);
        }
        await instance.StopAsync(LeaveGrace, forGood: true, ct).ConfigureAwait(false);
        lock (_lock)
        {
            _leaving.Remove(instance);
            SetInstances(_instances.Remove(instance));
        }
        _services.Notifications.Forget(instance.Instance.Id);
        _services.Logs.Unlink(instance.Instance.Id);
        await RefreshCommandsAsync().ConfigureAwait(false);
        return CommandResults.Success();
    }

    /// <summary>Stops every instance, for good: handlers of their end get the grace too.</summary>
    public async Task StopAllAsync(TimeSpan grace, CancellationToken ct)
    {
        lock (_lock) _stopped = true;
        var instances = _instances;
        using var hurry = CancellationTokenSource.CreateLinkedTokenSource(ct);
        hurry.CancelAfter(grace + TimeSpan.FromSeconds(1));          // one that was being taken away has a longer grace, which ends now
        await Task.WhenAll(instances.Select(i => i.StopAsync(grace, forGood: true, hurry.Token))).ConfigureAwait(false);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(grace);
        try
        {
            await Task.WhenAll(instances.Select(i => i.AnnouncedAsync(limit.Token))).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // a handler that takes longer goes on by itself
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoints.DisposeAsync().ConfigureAwait(false);
        foreach (var instance in _instances) instance.Dispose();
        _skipWait.Dispose();
    }

    private async Task PrepareAsync(ImmutableArray<InstanceRunner> instances, CancellationToken ct)
    {
        await _services.Eventing.PublishAsync(new BeforeResourceStartedEvent(Resource, _services.Provider), ct).ConfigureAwait(false);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct, _skipWait.Token);
        try
        {
            await _services.Notifications.WaitForDependenciesAsync(Resource, instances.Select(i => i.Instance.Id), waiting.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            _services.Logs.Write(Resource.Name, "Started by command without waiting any longer.", isError: false);
        }
    }

    /// <summary>Under the lock. The annotations change in themselves: their list is read by others at any time.</summary>
    private void SetInstances(ImmutableArray<InstanceRunner> instances)
    {
        _instances = instances;
        if (Resource.TryGetLastAnnotation<InstancesAnnotation>(out var known)) known.Instances = [.. instances.Select(i => i.Instance)];
        if (Resource.TryGetLastAnnotation<ReplicaAnnotation>(out var replicas)) replicas.Replicas = instances.Length;
    }

    /// <summary>Which commands an instance offers depends on how many there are.</summary>
    private Task RefreshCommandsAsync() => _services.Notifications.PublishUpdateAsync(Resource, static s => s);

    private InstanceRunner? Find(string instanceId) => _instances.FirstOrDefault(i => IsCalled(i, instanceId));
    private static bool IsCalled(InstanceRunner runner, string id) => string.Equals(runner.Instance.Id, id, StringComparison.OrdinalIgnoreCase);
    private static ExecuteCommandResult NotFound(string instanceId) => CommandResults.Failure($"'{instanceId}' is not running here.");
}
