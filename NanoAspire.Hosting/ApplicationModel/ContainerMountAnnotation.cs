namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something mounted into a container. Only a volume may be anonymous.</summary>
public sealed class ContainerMountAnnotation : IResourceAnnotation
{
    public ContainerMountAnnotation(string? source, string target, ContainerMountType type, bool isReadOnly)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        if (type == ContainerMountType.BindMount && string.IsNullOrEmpty(source)) throw new ArgumentNullException(nameof(source), "A bind mount needs a source.");
        if (type == ContainerMountType.BindMount && !Path.IsPathRooted(source)) throw new ArgumentException("Bind mounts cannot have relative paths as their source.", nameof(source));
        if (type == ContainerMountType.Volume && string.IsNullOrEmpty(source) && isReadOnly) throw new ArgumentException("An anonymous volume cannot be read-only.", nameof(isReadOnly));
        Source = source;
        Target = target;
        Type = type;
        IsReadOnly = isReadOnly;
    }

    public string? Source { get; }
    public string Target { get; }
    public ContainerMountType Type { get; }
    public bool IsReadOnly { get; }
}
