namespace NanoAspire.Hosting.Publishing.Kubernetes;

/// <summary>Names of objects: lower case, with the kind at the end, short enough for a DNS label.</summary>
internal static class KubernetesNames
{
    private const int MaxLength = 63;

    /// <exception cref="DistributedApplicationException">The name is too long for the cluster.</exception>
    public static string Object(IResource resource, string kind)
    {
        var name = $"{resource.Name.ToLowerInvariant()}-{kind}";
        return name.Length <= MaxLength
            ? name
            : throw new DistributedApplicationException($"Resource '{resource.Name}': its Kubernetes object '{name}' has {name.Length} characters, and {MaxLength} are allowed.");
    }

    /// <summary>Labels that all objects of a resource carry, and that select its pods.</summary>
    public static Dictionary<string, string> Labels(string chart, IResource resource) => new()
    {
        ["app.kubernetes.io/name"] = chart,
        ["app.kubernetes.io/component"] = resource.Name.ToLowerInvariant(),
        ["app.kubernetes.io/instance"] = "{{ .Release.Name }}",
    };
}
