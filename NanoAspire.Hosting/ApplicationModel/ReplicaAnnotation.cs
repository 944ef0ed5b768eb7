namespace Aspire.Hosting.ApplicationModel;

/// <summary>How many instances of a resource run.</summary>
public class ReplicaAnnotation(int replicas = 1) : IResourceAnnotation
{
    public int Replicas { get; } = replicas;
}
