namespace Aspire.Hosting.ApplicationModel;

/// <summary>Base of all resources. Does nothing by itself: annotations say what, the orchestrator or a publisher acts.</summary>
public abstract class Resource : IResource
{
    /// <exception cref="ArgumentException">The name breaks the rules: 1 to 64 ASCII letters, digits and single inner hyphens, a letter first.</exception>
    protected Resource(string name)
    {
        ModelName.Validate(nameof(Resource), name);
        Name = name;
    }

    public virtual string Name { get; }
    public virtual ResourceAnnotationCollection Annotations { get; } = [];

    public override string ToString() => $"{GetType().Name} '{Name}'";
}
