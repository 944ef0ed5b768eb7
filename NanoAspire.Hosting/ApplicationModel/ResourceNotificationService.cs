using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NanoAspire.Hosting.Run;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The state of every resource: who runs one publishes snapshots, everybody else watches or waits.</summary>
public class ResourceNotificationService
{
    /// <summary>A watcher that falls this far behind loses the oldest updates; a later snapshot of the same instance supersedes them.</summary>
    private const int WatcherCapacity = 4096;

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, ResourceEvent> _current = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ChannelWriter<ResourceEvent>> _watchers = [];
    private readonly ILogger<ResourceNotificationService> _logger;
    private readonly ResourceLoggerService _logs;
    private readonly DependencyWaiter _waiter;

    internal ResourceNotificationService(ILogger<ResourceNotificationService> logger, ResourceLoggerService logs,
        IOptions<ResourceNotificationServiceOptions> options)
    {
        _logger = logger;
        _logs = logs;
        _waiter = new DependencyWaiter(this, logs, options.Value.DefaultWaitBehavior);
        DefaultWaitBehavior = options.Value.DefaultWaitBehavior;
    }

    internal WaitBehavior DefaultWaitBehavior { get; }

    /// <summary>The last event of every instance.</summary>
    internal IReadOnlyCollection<ResourceEvent> Current => [.. _current.Values];

    /// <summary>The last snapshot of every instance, then each update as it comes.</summary>
    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateBounded<ResourceEvent>(new BoundedChannelOptions(WatcherCapacity)
        {
            FullMode = BoundedChannelFullMode.DropOldest,
            SingleReader = true,
        });
        ResourceEvent[] known;
        lock (_lock)
        {
            known = [.. _current.Values];
            _watchers.Add(channel.Writer);
        }
        try
        {
            foreach (var resourceEvent in known) yield return resourceEvent;
            await foreach (var resourceEvent in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return resourceEvent;
        }
        finally
        {
            lock (_lock) _watchers.Remove(channel.Writer);
        }
    }

    /// <summary>Waits until an instance of the resource is in the state; Running unless named.</summary>
    public Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default) =>
        WaitForResourceAsync(resourceName, [targetState ?? KnownResourceStates.Running], cancellationToken);

    /// <summary>Waits until an instance of the resource is in one of the states and says which.</summary>
    public async Task<string> WaitForResourceAsync(string resourceName, IEnumerable<string> targetStates, CancellationToken cancellationToken = default)
    {
        var states = targetStates.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var found = await WaitForResourceAsync(resourceName, e => e.Snapshot.State is { } state && states.Contains(state.Text), cancellationToken).ConfigureAwait(false);
        return found.Snapshot.State!.Text;
    }

    /// <summary>Waits for the first event of the resource that satisfies the predicate.</summary>
    public async Task<ResourceEvent> WaitForResourceAsync(string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
    {
        await foreach (var resourceEvent in WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            if (Matches(resourceEvent, resourceName) && predicate(resourceEvent)) return resourceEvent;
        }
        throw new OperationCanceledException($"The watch ended before resource '{resourceName}' met the condition.");
    }

    /// <summary>Waits until the resource runs, is healthy and its ready handlers have returned.</summary>
    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default) =>
        WaitForResourceHealthyAsync(resourceName, DefaultWaitBehavior, cancellationToken);

    /// <inheritdoc cref="WaitForResourceHealthyAsync(string, CancellationToken)"/>
    /// <exception cref="DistributedApplicationException">The resource has ended, and the behaviour is to stop then.</exception>
    public async Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, WaitBehavior waitBehavior, CancellationToken cancellationToken = default)
    {
        var found = await WaitForResourceAsync(resourceName,
            e => e.Snapshot is { HealthStatus: Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy, Ready: not null } ||
                 (waitBehavior == WaitBehavior.StopOnResourceUnavailable && DependencyWaiter.HasFailed(e.Snapshot)),
            cancellationToken).ConfigureAwait(false);
        if (found.Snapshot.Ready is not { } ready)
        {
            throw new DistributedApplicationException($"Resource '{resourceName}' has entered the '{found.Snapshot.State?.Text}' state prematurely.");
        }
        await ready.WaitAsync(cancellationToken).ConfigureAwait(false);
        return found;
    }

    /// <summary>Waits for everything the resource declared with <c>WaitFor…</c>.</summary>
    public Task WaitForDependenciesAsync(IResource resource, CancellationToken cancellationToken) =>
        _waiter.WaitAsync(resource, ResourceInstance.IdsOf(resource), cancellationToken);

    /// <summary>The same on behalf of some of its instances.</summary>
    internal Task WaitForDependenciesAsync(IResource resource, IEnumerable<string> instances, CancellationToken ct) => _waiter.WaitAsync(resource, instances, ct);

    /// <summary>The last event of an instance, by its id or, where there is only one, by the resource name.</summary>
    public bool TryGetCurrentState(string resourceId, [NotNullWhen(true)] out ResourceEvent? resourceEvent)
    {
        if (_current.TryGetValue(resourceId, out resourceEvent)) return true;
        var instances = _current.Values.Where(e => string.Equals(e.Resource.Name, resourceId, StringComparison.OrdinalIgnoreCase)).Take(2).ToArray();
        resourceEvent = instances is [var only] ? only : null;
        return resourceEvent is not null;
    }

    /// <summary>Updates every instance of the resource.</summary>
    public async Task PublishUpdateAsync(IResource resource, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        foreach (var id in ResourceInstance.IdsOf(resource)) await PublishUpdateAsync(resource, id, stateFactory).ConfigureAwait(false);
    }

    /// <summary>Updates one instance. The factory gets the last snapshot, runs under a lock and must be quick.</summary>
    public Task PublishUpdateAsync(IResource resource, string resourceId, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        ArgumentNullException.ThrowIfNull(resource);
        lock (_lock)
        {
            var previous = _current.TryGetValue(resourceId, out var known) ? known.Snapshot : Initial(resource);
            var next = SnapshotCommands.Update(resource, stateFactory(previous), _logs.Services);
            var resourceEvent = new ResourceEvent(resource, resourceId, next);
            _current[resourceId] = resourceEvent;
            foreach (var watcher in _watchers) watcher.TryWrite(resourceEvent);
            if (previous.State?.Text != next.State?.Text && next.State is { } state) Log.StateChanged(_logger, resourceId, state.Text);
        }
        return Task.CompletedTask;
    }

    /// <summary>Takes a scaled-down instance out of the list; watchers get its last snapshot once more, hidden.</summary>
    internal void Forget(string resourceId)
    {
        lock (_lock)
        {
            if (!_current.TryRemove(resourceId, out var last)) return;
            var gone = new ResourceEvent(last.Resource, resourceId, last.Snapshot with { IsHidden = true });
            foreach (var watcher in _watchers) watcher.TryWrite(gone);
        }
    }

    internal static bool Matches(ResourceEvent e, string nameOrId) =>
        string.Equals(e.Resource.Name, nameOrId, StringComparison.OrdinalIgnoreCase) || string.Equals(e.ResourceId, nameOrId, StringComparison.OrdinalIgnoreCase);

    private static CustomResourceSnapshot Initial(IResource resource) =>
        resource.TryGetLastAnnotation<ResourceSnapshotAnnotation>(out var annotation)
            ? annotation.InitialSnapshot
            : new CustomResourceSnapshot { ResourceType = ResourceInstance.TypeOf(resource), Properties = [] };
}
