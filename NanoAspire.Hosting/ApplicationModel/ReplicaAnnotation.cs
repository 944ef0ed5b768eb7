namespace Aspire.Hosting.ApplicationModel;

/// <summary>How many instances of a resource run.</summary>
public class ReplicaAnnotation(int replicas = 1) : IResourceAnnotation
{
    /// <summary>As declared, and what there is after a scale command.</summary>
    public int Replicas { get; internal set; } = replicas;
}
