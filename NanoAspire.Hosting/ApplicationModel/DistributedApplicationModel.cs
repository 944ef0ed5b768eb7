namespace Aspire.Hosting.ApplicationModel;

/// <summary>The application as data: what the orchestrator runs and publishers write.</summary>
public class DistributedApplicationModel(IResourceCollection resources)
{
    public DistributedApplicationModel(IEnumerable<IResource> resources) : this(new ResourceCollection(resources))
    {
    }

    public IResourceCollection Resources { get; } = resources;
}
