using System.Collections.Immutable;

namespace NanoAspire.Hosting.Run;

/// <summary>The instances of a resource in this run; replaced as a whole when it is scaled.</summary>
internal sealed class InstancesAnnotation : IResourceAnnotation
{
    public ImmutableArray<ResourceInstance> Instances { get; set; } = [];
}
