namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a waiter does when its dependency has failed: hope for a restart, or fail too.</summary>
public enum WaitBehavior
{
    WaitOnResourceUnavailable = 0,
    StopOnResourceUnavailable = 1,
}
