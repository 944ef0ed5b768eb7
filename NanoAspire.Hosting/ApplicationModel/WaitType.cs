namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a dependency must have reached.</summary>
public enum WaitType
{
    WaitUntilHealthy = 0,
    WaitForCompletion = 1,
    WaitUntilStarted = 2,
}
