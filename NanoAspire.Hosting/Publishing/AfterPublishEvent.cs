using Aspire.Hosting.Eventing;

namespace Aspire.Hosting.Publishing;

/// <summary>All that was asked for has been written; not raised when a step failed.</summary>
public sealed class AfterPublishEvent(IServiceProvider services, DistributedApplicationModel model) : IDistributedApplicationEvent
{
    public IServiceProvider Services { get; } = services;
    public DistributedApplicationModel Model { get; } = model;
}
