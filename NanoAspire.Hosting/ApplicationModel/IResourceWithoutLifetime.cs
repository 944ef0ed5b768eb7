namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that never runs (a value): nobody waits for it.</summary>
public interface IResourceWithoutLifetime : IResource;
