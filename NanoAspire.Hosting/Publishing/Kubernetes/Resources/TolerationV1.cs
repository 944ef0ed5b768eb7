namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A taint that does not keep the pod away.</summary>
public sealed class TolerationV1
{
    public string? Key { get; set; }
    public string? Operator { get; set; }
    public string? Value { get; set; }
    public string? Effect { get; set; }
    public long? TolerationSeconds { get; set; }
}
