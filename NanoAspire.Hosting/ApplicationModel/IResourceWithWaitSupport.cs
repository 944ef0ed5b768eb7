namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource whose start can be held back until others are ready.</summary>
public interface IResourceWithWaitSupport : IResource;
