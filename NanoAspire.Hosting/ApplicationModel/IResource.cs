namespace Aspire.Hosting.ApplicationModel;

/// <summary>A part of the application: a unique name and everything that is known about it, as annotations.</summary>
public interface IResource
{
    string Name { get; }
    ResourceAnnotationCollection Annotations { get; }
}
