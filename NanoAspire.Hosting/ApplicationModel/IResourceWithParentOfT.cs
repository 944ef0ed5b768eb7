namespace Aspire.Hosting.ApplicationModel;

/// <inheritdoc cref="IResourceWithParent"/>
public interface IResourceWithParent<out T> : IResourceWithParent where T : IResource
{
    new T Parent { get; }
    IResource IResourceWithParent.Parent => Parent;
}
