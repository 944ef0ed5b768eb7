namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A GET request.</summary>
public sealed class HttpGetActionV1
{
    public string Path { get; set; } = null!;
    public Int32OrStringV1 Port { get; set; } = null!;
    /// <summary><c>HTTP</c> or <c>HTTPS</c>.</summary>
    public string Scheme { get; set; } = null!;
}
