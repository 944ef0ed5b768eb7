using Aspire.Hosting.Kubernetes.Resources;

namespace Aspire.Hosting.Kubernetes;

/// <summary>What a resource of the model becomes in the cluster. Customizations change it after it was filled; null drops an object.</summary>
public sealed class KubernetesResource(string name, IResource resource, KubernetesEnvironmentResource kubernetesEnvironmentResource) :
    Resource(name), IResourceWithParent<KubernetesEnvironmentResource>
{
    public KubernetesEnvironmentResource Parent { get; } = kubernetesEnvironmentResource;
    public Workload? Workload { get; set; }
    public ConfigMap? ConfigMap { get; set; }
    public Secret? Secret { get; set; }
    public Resources.Service? Service { get; set; }

    /// <summary>Further objects, each in a file named after it.</summary>
    public List<BaseKubernetesResource> AdditionalResources { get; } = [];

    internal IResource TargetResource { get; } = resource;
}
