namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Linux capabilities, without the <c>CAP_</c>.</summary>
public sealed class CapabilitiesV1
{
    public List<string> Add { get; } = [];
    public List<string> Drop { get; } = [];
}
