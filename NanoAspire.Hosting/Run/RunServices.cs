using Aspire.Hosting.Eventing;

namespace NanoAspire.Hosting.Run;

/// <summary>What every runner needs, handed on as one.</summary>
internal sealed record RunServices(ResourceNotificationService Notifications, ResourceLoggerService Logs, IDistributedApplicationEventing Eventing,
    ProcessStarter Starter, ProcessFactory Factory, IServiceProvider Provider, TimeProvider Time);
