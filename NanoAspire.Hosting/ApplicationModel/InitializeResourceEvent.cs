using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The resource exists; custom resources begin their own life here.</summary>
public class InitializeResourceEvent(IResource resource, IDistributedApplicationEventing eventing, ResourceLoggerService loggerService,
    ResourceNotificationService notificationService, IServiceProvider services) : IDistributedApplicationResourceEvent
{
    public IResource Resource { get; } = resource;
    public IDistributedApplicationEventing Eventing { get; } = eventing;
    public ILogger Logger { get; } = loggerService.GetLogger(resource);
    public ResourceNotificationService Notifications { get; } = notificationService;
    public IServiceProvider Services { get; } = services;
}
