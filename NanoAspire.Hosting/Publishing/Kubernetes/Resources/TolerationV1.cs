namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A taint that does not keep the pod away.</summary>
public sealed class TolerationV1
{
    public string Key { get; set; } = null!;
    public string Operator { get; set; } = null!;
    public string Value { get; set; } = null!;
    public string Effect { get; set; } = null!;
    public long? TolerationSeconds { get; set; }
}
