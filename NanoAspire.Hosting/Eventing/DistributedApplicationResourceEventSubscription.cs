namespace Aspire.Hosting.Eventing;

/// <summary>A subscription to events of one resource, or of all when <see cref="Resource"/> is null.</summary>
public class DistributedApplicationResourceEventSubscription(IResource? resource, Func<IDistributedApplicationResourceEvent, CancellationToken, Task> callback)
    : DistributedApplicationEventSubscription((@event, ct) => callback((IDistributedApplicationResourceEvent)@event, ct))
{
    public IResource? Resource { get; } = resource;
}
