namespace Aspire.Hosting.Kubernetes;

/// <summary>Changes the objects of a resource before they are written.</summary>
internal sealed record KubernetesServiceCustomizationAnnotation(Action<KubernetesResource> Configure) : IResourceAnnotation;
