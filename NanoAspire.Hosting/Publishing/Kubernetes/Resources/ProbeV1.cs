namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A question that the kubelet asks a container again and again.</summary>
public sealed class ProbeV1
{
    public HttpGetActionV1? HttpGet { get; set; }
    public ExecActionV1? Exec { get; set; }
    public TcpSocketActionV1? TcpSocket { get; set; }
    public int? InitialDelaySeconds { get; set; }
    public int? PeriodSeconds { get; set; }
    public int? TimeoutSeconds { get; set; }
    public int? FailureThreshold { get; set; }
    public int? SuccessThreshold { get; set; }
}
