namespace Aspire.Hosting.ApplicationModel;

/// <summary>An edge of the resource graph: <c>Reference</c>, <c>WaitFor</c>, <c>Parent</c> or a word of one's own.</summary>
public sealed class ResourceRelationshipAnnotation(IResource resource, string type) : IResourceAnnotation
{
    public IResource Resource { get; } = resource;
    public string Type { get; } = type;
}
