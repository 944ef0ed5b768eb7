namespace Aspire.Hosting.ApplicationModel;

/// <summary>A target that compute resources are published to.</summary>
public interface IComputeEnvironmentResource : IResource;
