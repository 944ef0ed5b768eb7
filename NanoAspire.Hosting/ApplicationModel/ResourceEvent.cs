namespace Aspire.Hosting.ApplicationModel;

/// <summary>A new snapshot of one instance of a resource.</summary>
public class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    public IResource Resource { get; } = resource;

    /// <summary>The resource name, or <c>{name}-{suffix}</c> for an instance.</summary>
    public string ResourceId { get; } = resourceId;
    public CustomResourceSnapshot Snapshot { get; } = snapshot;
}
