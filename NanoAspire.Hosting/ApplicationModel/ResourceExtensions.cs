using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Questions about a resource that its annotations answer.</summary>
public static class ResourceExtensions
{
    public static bool TryGetLastAnnotation<T>(this IResource resource, [NotNullWhen(true)] out T? annotation) where T : IResourceAnnotation
    {
        annotation = resource.Annotations.OfType<T>().LastOrDefault();
        return annotation is not null;
    }

    public static bool TryGetAnnotationsOfType<T>(this IResource resource, [NotNullWhen(true)] out IEnumerable<T>? result) where T : IResourceAnnotation
    {
        var found = resource.Annotations.OfType<T>().ToArray();
        result = found.Length > 0 ? found : null;
        return result is not null;
    }

    public static bool HasAnnotationOfType<T>(this IResource resource) where T : IResourceAnnotation => resource.Annotations.OfType<T>().Any();

    /// <summary>Annotations of the resource, then of its parents.</summary>
    public static bool TryGetAnnotationsIncludingAncestorsOfType<T>(this IResource resource, [NotNullWhen(true)] out IEnumerable<T>? result) where T : IResourceAnnotation
    {
        var found = new List<T>();
        for (var current = resource; current is not null; current = (current as IResourceWithParent)?.Parent) found.AddRange(current.Annotations.OfType<T>());
        result = found.Count > 0 ? found : null;
        return result is not null;
    }

    public static bool TryGetEndpoints(this IResource resource, [NotNullWhen(true)] out IEnumerable<EndpointAnnotation>? endpoints) =>
        resource.TryGetAnnotationsOfType(out endpoints);

    public static bool TryGetEnvironmentVariables(this IResource resource, [NotNullWhen(true)] out IEnumerable<EnvironmentCallbackAnnotation>? environmentVariables) =>
        resource.TryGetAnnotationsOfType(out environmentVariables);

    public static bool TryGetUrls(this IResource resource, [NotNullWhen(true)] out IEnumerable<ResourceUrlAnnotation>? urls) =>
        resource.TryGetAnnotationsOfType(out urls);

    public static bool TryGetContainerMounts(this IResource resource, [NotNullWhen(true)] out IEnumerable<ContainerMountAnnotation>? volumeMounts) =>
        resource.TryGetAnnotationsOfType(out volumeMounts);

    /// <summary><c>registry/image:tag</c> or <c>registry/image@sha256:…</c>.</summary>
    public static bool TryGetContainerImageName(this IResource resource, [NotNullWhen(true)] out string? imageName)
    {
        if (!resource.TryGetLastAnnotation<ContainerImageAnnotation>(out var image))
        {
            imageName = null;
            return false;
        }
        var registry = string.IsNullOrEmpty(image.Registry) ? "" : $"{image.Registry}/";
        imageName = string.IsNullOrEmpty(image.SHA256) ? $"{registry}{image.Image}:{image.Tag}" : $"{registry}{image.Image}@sha256:{image.SHA256}";
        return true;
    }

    /// <summary>One unless <c>WithReplicas</c> said otherwise.</summary>
    public static int GetReplicaCount(this IResource resource) => resource.TryGetLastAnnotation<ReplicaAnnotation>(out var replicas) ? replicas.Replicas : 1;

    public static bool IsContainer(this IResource resource) => resource.HasAnnotationOfType<ContainerImageAnnotation>();

    public static bool IsExcludedFromPublish(this IResource resource) =>
        resource.TryGetLastAnnotation<ManifestPublishingCallbackAnnotation>(out var callback) && callback == ManifestPublishingCallbackAnnotation.Ignore;

    public static EndpointReference GetEndpoint(this IResourceWithEndpoints resource, string endpointName) => new(resource, endpointName);

    public static IEnumerable<EndpointReference> GetEndpoints(this IResourceWithEndpoints resource) =>
        resource.Annotations.OfType<EndpointAnnotation>().Select(e => new EndpointReference(resource, e));

    /// <summary>
    /// The endpoints as a publisher writes them. A project's first http and https endpoint without a target port keep none: the platform chooses.
    /// Every other one without gets one from the allocator, past all ports that the resource names itself.
    /// </summary>
    public static IReadOnlyList<ResolvedEndpoint> ResolveEndpoints(this IResource resource, IPortAllocator? portAllocator = null)
    {
        if (!resource.TryGetEndpoints(out var declared)) return [];
        var endpoints = declared.ToArray();
        var ports = portAllocator ?? new PortAllocator();
        foreach (var port in endpoints.SelectMany(e => new[] { e.Port, e.TargetPort }).OfType<int>()) ports.AddUsedPort(port);
        return [.. endpoints.Select(Resolve)];

        ResolvedEndpoint Resolve(EndpointAnnotation endpoint)
        {
            var platformChooses = resource is ProjectResource && endpoint.IsHttp && endpoints.First(e => e.UriScheme == endpoint.UriScheme) == endpoint;
            var target = endpoint.TargetPort is { } own ? ResolvedPort.Explicit(own)
                : resource is ContainerResource && endpoint.Port is { } port ? ResolvedPort.Implicit(port)
                : platformChooses ? ResolvedPort.None()
                : ResolvedPort.Allocated(ports.AllocatePort());
            var exposed = endpoint.Port is { } chosen ? ResolvedPort.Explicit(chosen)
                : target.Value is { } bound ? ResolvedPort.Implicit(bound)
                : ResolvedPort.None();
            return new() { Endpoint = endpoint, TargetPort = target, ExposedPort = exposed };
        }
    }
}
