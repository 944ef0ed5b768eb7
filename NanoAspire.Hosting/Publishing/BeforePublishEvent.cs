using Aspire.Hosting.Eventing;

namespace Aspire.Hosting.Publishing;

/// <summary>A publisher or pipeline step was asked for and is about to run.</summary>
public sealed class BeforePublishEvent(IServiceProvider services, DistributedApplicationModel model) : IDistributedApplicationEvent
{
    public IServiceProvider Services { get; } = services;
    public DistributedApplicationModel Model { get; } = model;
}
