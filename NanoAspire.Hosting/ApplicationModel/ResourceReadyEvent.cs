using Aspire.Hosting.Eventing;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Every replica is running and healthy for the first time in this run. Waiters go on after its handlers.</summary>
public class ResourceReadyEvent(IResource resource, IServiceProvider services) : IDistributedApplicationResourceEvent
{
    public IResource Resource { get; } = resource;
    public IServiceProvider Services { get; } = services;
}
