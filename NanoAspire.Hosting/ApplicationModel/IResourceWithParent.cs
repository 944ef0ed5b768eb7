namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that belongs to another one and lives with it.</summary>
public interface IResourceWithParent : IResource
{
    IResource Parent { get; }
}
