namespace Aspire.Hosting.Eventing;

/// <inheritdoc cref="IDistributedApplicationEventing"/>
public class DistributedApplicationEventing : IDistributedApplicationEventing
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Type, List<DistributedApplicationEventSubscription>> _subscriptions = [];

    public DistributedApplicationEventSubscription Subscribe<T>(Func<T, CancellationToken, Task> callback) where T : IDistributedApplicationEvent =>
        Add(typeof(T), new DistributedApplicationEventSubscription((@event, ct) => callback((T)@event, ct)));

    public DistributedApplicationEventSubscription Subscribe<T>(IResource resource, Func<T, CancellationToken, Task> callback) where T : IDistributedApplicationResourceEvent =>
        Add(typeof(T), new DistributedApplicationResourceEventSubscription(resource,
            (@event, ct) => ReferenceEquals(@event.Resource, resource) ? callback((T)@event, ct) : Task.CompletedTask));

    public void Unsubscribe(DistributedApplicationEventSubscription subscription)
    {
        lock (_lock)
        {
            foreach (var list in _subscriptions.Values) list.Remove(subscription);
        }
    }

    public Task PublishAsync<T>(T @event, CancellationToken cancellationToken = default) where T : IDistributedApplicationEvent =>
        PublishAsync(@event, EventDispatchBehavior.BlockingSequential, cancellationToken);

    public Task PublishAsync<T>(T @event, EventDispatchBehavior dispatchBehavior, CancellationToken cancellationToken = default) where T : IDistributedApplicationEvent
    {
        DistributedApplicationEventSubscription[] handlers;
        lock (_lock) handlers = _subscriptions.TryGetValue(typeof(T), out var list) ? [.. list] : [];
        if (handlers.Length == 0) return Task.CompletedTask;

        var work = dispatchBehavior is EventDispatchBehavior.BlockingSequential or EventDispatchBehavior.NonBlockingSequential
            ? InTurnAsync(handlers, @event, cancellationToken)
            : Task.WhenAll(handlers.Select(h => h.Callback(@event, cancellationToken)));
        return dispatchBehavior is EventDispatchBehavior.BlockingSequential or EventDispatchBehavior.BlockingConcurrent ? work : Task.CompletedTask;
    }

    private DistributedApplicationEventSubscription Add(Type type, DistributedApplicationEventSubscription subscription)
    {
        lock (_lock)
        {
            if (!_subscriptions.TryGetValue(type, out var list)) _subscriptions[type] = list = [];
            list.Add(subscription);
        }
        return subscription;
    }

    private static async Task InTurnAsync(DistributedApplicationEventSubscription[] handlers, IDistributedApplicationEvent @event, CancellationToken ct)
    {
        foreach (var handler in handlers) await handler.Callback(@event, ct).ConfigureAwait(false);
    }
}
