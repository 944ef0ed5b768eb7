using System.Collections.Immutable;
using System.Security.Cryptography;

namespace NanoAspire.Hosting.Run;

/// <summary>One process of a resource. The id stays over restarts, the target ports are given out anew for each start.</summary>
internal sealed class ResourceInstance(IResource resource, int index)
{
    private const string SuffixLetters = "abcdefghijklmnopqrstuvwxyz";

    public IResource Resource { get; } = resource;
    public int Index { get; } = index;
    public string Suffix { get; } = RandomNumberGenerator.GetString(SuffixLetters, 8);
    public string Id => $"{Resource.Name}-{Suffix}";

    /// <summary>Endpoint name → port that this instance binds.</summary>
    public ImmutableDictionary<string, int> TargetPorts { get; set; } = ImmutableDictionary.Create<string, int>(StringComparer.OrdinalIgnoreCase);

    public static IEnumerable<string> IdsOf(IResource resource) =>
        resource.TryGetLastAnnotation<InstancesAnnotation>(out var instances) && !instances.Instances.IsEmpty
            ? instances.Instances.Select(i => i.Id)
            : [resource.Name];

    public static string TypeOf(IResource resource) => resource switch
    {
        ProjectResource => "Project",
        ExecutableResource => "Executable",
        ContainerResource => "Container",
        ParameterResource => "Parameter",
        ExternalServiceResource => "ExternalService",
        _ => resource.GetType().Name.EndsWith("Resource", StringComparison.Ordinal) ? resource.GetType().Name[..^"Resource".Length] : resource.GetType().Name,
    };
}
