namespace Aspire.Hosting.Eventing;

/// <summary>The right to be called, and the handle to give it up.</summary>
public class DistributedApplicationEventSubscription(Func<IDistributedApplicationEvent, CancellationToken, Task> callback)
{
    public Func<IDistributedApplicationEvent, CancellationToken, Task> Callback { get; } = callback;
}
