namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>One such action.</summary>
public sealed class LifecycleHandlerV1
{
    public HttpGetActionV1 HttpGet { get; set; } = null!;
    public ExecActionV1 Exec { get; set; } = null!;
}
