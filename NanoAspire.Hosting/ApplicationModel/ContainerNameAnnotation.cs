namespace Aspire.Hosting.ApplicationModel;

/// <summary>The container's own name, in place of one made from the resource's.</summary>
public sealed class ContainerNameAnnotation : IResourceAnnotation
{
    public required string Name { get; set; }
}
