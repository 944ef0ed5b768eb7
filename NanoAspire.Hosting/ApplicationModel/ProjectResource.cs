#pragma warning disable ASPIREPROBES001 // the resource itself is not experimental
namespace Aspire.Hosting.ApplicationModel;

/// <summary>A .NET project of this repository, run as a process and published as a container.</summary>
public class ProjectResource(string name) : Resource(name),
    IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport, IResourceWithProbes, IComputeResource;
