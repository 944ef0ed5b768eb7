#pragma warning disable ASPIREPROBES001 // the resource itself is not experimental
namespace Aspire.Hosting.ApplicationModel;

/// <summary>A container image, run by docker or podman.</summary>
public class ContainerResource(string name, string? entrypoint = null) : Resource(name),
    IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport, IResourceWithProbes, IComputeResource
{
    public string? Entrypoint { get; set; } = entrypoint;
}
