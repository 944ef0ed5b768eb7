namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a compute environment made of the resource.</summary>
public sealed class DeploymentTargetAnnotation(IResource target) : IResourceAnnotation
{
    public IResource DeploymentTarget { get; } = target;
    public IComputeEnvironmentResource? ComputeEnvironment { get; set; }
}
