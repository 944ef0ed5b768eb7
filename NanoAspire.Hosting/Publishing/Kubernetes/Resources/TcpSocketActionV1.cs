namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A connection that is opened and closed.</summary>
public sealed class TcpSocketActionV1
{
    public Int32OrStringV1 Port { get; set; } = null!;
}
