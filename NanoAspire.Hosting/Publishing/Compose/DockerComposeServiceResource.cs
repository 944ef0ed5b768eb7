namespace Aspire.Hosting.Docker;

/// <summary>A resource of the model as a service of a compose file.</summary>
public class DockerComposeServiceResource(string name, IResource resource, DockerComposeEnvironmentResource composeEnvironmentResource) :
    Resource(name), IResourceWithParent<DockerComposeEnvironmentResource>
{
    public DockerComposeEnvironmentResource Parent { get; } = composeEnvironmentResource;
    internal IResource TargetResource { get; } = resource;
}
