namespace Aspire.Hosting;

/// <summary>Tells running from publishing.</summary>
public class DistributedApplicationExecutionContext(DistributedApplicationExecutionContextOptions options)
{
    public DistributedApplicationExecutionContext(DistributedApplicationOperation operation) : this(new DistributedApplicationExecutionContextOptions(operation))
    {
    }

    public DistributedApplicationExecutionContext(DistributedApplicationOperation operation, string publisherName)
        : this(new DistributedApplicationExecutionContextOptions(operation, publisherName))
    {
    }

    public DistributedApplicationOperation Operation { get; } = options.Operation;
    public bool IsPublishMode => Operation == DistributedApplicationOperation.Publish;
    public bool IsRunMode => Operation == DistributedApplicationOperation.Run;
    public string PublisherName { get; set; } = options.PublisherName ?? "manifest";

    /// <exception cref="InvalidOperationException">The application has not been built yet.</exception>
    public IServiceProvider ServiceProvider => options.ServiceProvider
        ?? throw new InvalidOperationException("IServiceProvider is not available because the application has not been built.");
}
