namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that runs code of its own: what a compute environment deploys.</summary>
public interface IComputeResource : IResource;
