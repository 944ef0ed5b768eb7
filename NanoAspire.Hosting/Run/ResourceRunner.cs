namespace NanoAspire.Hosting.Run;

/// <summary>The instances of one resource, started together and commanded one by one.</summary>
internal sealed class ResourceRunner : IAsyncDisposable
{
    private readonly RunServices _services;
    private readonly EndpointPlan _endpoints;
    private readonly InstanceRunner[] _instances;
    private CancellationTokenSource _skipWait = new();

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
            await PrepareAsync(ct).ConfigureAwait(false);
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
        var started = await instance.StartAsync(PrepareAsync, ct).ConfigureAwait(false);
        return started ? CommandResults.Success() : CommandResults.Failure($"'{instanceId}' is already started.");
    }

    public async Task<ExecuteCommandResult> StopAsync(string instanceId, TimeSpan grace, CancellationToken ct)
    {
        if (Find(instanceId) is not { } instance) return NotFound(instanceId);
        await instance.StopAsync(grace, ct).ConfigureAwait(false);
        return CommandResults.Success();
    }

    public async Task<ExecuteCommandResult> RestartAsync(string instanceId, TimeSpan grace, CancellationToken ct)
    {
        if (Find(instanceId) is not { } instance) return NotFound(instanceId);
        await instance.StopAsync(grace, ct).ConfigureAwait(false);
        return await StartAsync(instanceId, ct).ConfigureAwait(false);
    }

    /// <summary>Stops every instance, for good: handlers of their end get the grace too.</summary>
    public async Task StopAllAsync(TimeSpan grace, CancellationToken ct)
    {
        await Task.WhenAll(_instances.Select(i => i.StopAsync(grace, ct))).ConfigureAwait(false);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(grace);
        try
        {
            await Task.WhenAll(_instances.Select(i => i.AnnouncedAsync(limit.Token))).ConfigureAwait(false);
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

    private async Task PrepareAsync(CancellationToken ct)
    {
        await _services.Eventing.PublishAsync(new BeforeResourceStartedEvent(Resource, _services.Provider), ct).ConfigureAwait(false);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct, _skipWait.Token);
        try
        {
            await _services.Notifications.WaitForDependenciesAsync(Resource, waiting.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            _services.Logs.Write(Resource.Name, "Started by command without waiting any longer.", isError: false);
        }
    }

    private InstanceRunner? Find(string instanceId) => Array.Find(_instances, i => string.Equals(i.Instance.Id, instanceId, StringComparison.OrdinalIgnoreCase));
    private static ExecuteCommandResult NotFound(string instanceId) => CommandResults.Failure($"'{instanceId}' is not running here.");
}
