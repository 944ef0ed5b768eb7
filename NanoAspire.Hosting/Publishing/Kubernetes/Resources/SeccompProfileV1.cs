namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Which system calls are allowed.</summary>
public sealed class SeccompProfileV1
{
    public string Type { get; set; } = null!;
}
