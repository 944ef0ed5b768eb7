namespace Aspire.Hosting;

/// <summary>What an execution context is made of.</summary>
public class DistributedApplicationExecutionContextOptions(DistributedApplicationOperation operation, string? publisherName = null)
{
    public DistributedApplicationOperation Operation { get; } = operation;
    public string? PublisherName { get; } = publisherName;

    /// <summary>Set when the host has been built.</summary>
    public IServiceProvider? ServiceProvider { get; set; }
}
