namespace Aspire.Hosting;

/// <summary>What the host was started for.</summary>
public enum DistributedApplicationOperation
{
    Run = 0,
    Publish = 1,
}
