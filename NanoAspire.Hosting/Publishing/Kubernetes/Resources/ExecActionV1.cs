namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A command in the container.</summary>
public sealed class ExecActionV1
{
    public List<string> Command { get; } = [];
}
