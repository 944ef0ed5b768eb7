namespace Aspire.Hosting.ApplicationModel;

/// <summary>The compute environment that a resource is deployed to.</summary>
public sealed class ComputeEnvironmentAnnotation(IComputeEnvironmentResource computeEnvironment) : IResourceAnnotation
{
    public IComputeEnvironmentResource ComputeEnvironment { get; } = computeEnvironment;
}
