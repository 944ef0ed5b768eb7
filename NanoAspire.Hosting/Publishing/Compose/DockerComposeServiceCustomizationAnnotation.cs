using Aspire.Hosting.Docker.Resources.ComposeNodes;

namespace Aspire.Hosting.Docker;

/// <summary>Changes the service of a resource before it is written.</summary>
internal sealed record DockerComposeServiceCustomizationAnnotation(Action<DockerComposeServiceResource, Service> Configure) : IResourceAnnotation;
