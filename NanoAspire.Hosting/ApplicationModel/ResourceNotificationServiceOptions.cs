namespace Aspire.Hosting.ApplicationModel;

/// <summary>Defaults of the notification service.</summary>
public class ResourceNotificationServiceOptions
{
    public WaitBehavior DefaultWaitBehavior { get; set; }
}
