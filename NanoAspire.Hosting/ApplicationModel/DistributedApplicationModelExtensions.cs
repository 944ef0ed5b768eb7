namespace Aspire.Hosting.ApplicationModel;

/// <summary>Resources by kind.</summary>
public static class DistributedApplicationModelExtensions
{
    public static IEnumerable<ProjectResource> GetProjectResources(this DistributedApplicationModel model) => model.Resources.OfType<ProjectResource>();
    public static IEnumerable<ExecutableResource> GetExecutableResources(this DistributedApplicationModel model) => model.Resources.OfType<ExecutableResource>();
    public static IEnumerable<IResource> GetContainerResources(this DistributedApplicationModel model) => model.Resources.Where(r => r.IsContainer());

    /// <summary>Everything that runs code of its own.</summary>
    public static IEnumerable<IResource> GetComputeResources(this DistributedApplicationModel model) => model.Resources.Where(r => r is IComputeResource);
}
