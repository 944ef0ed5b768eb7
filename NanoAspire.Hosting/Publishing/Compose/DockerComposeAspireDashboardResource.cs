namespace Aspire.Hosting.Docker;

/// <summary>The standalone dashboard of a compose file; it is no part of the model.</summary>
public class DockerComposeAspireDashboardResource(string name) : ContainerResource(name)
{
    internal const string PagesEndpointName = "http";
    internal const string OtlpGrpcEndpointName = "otlp-grpc";

    /// <summary>The pages for the browser.</summary>
    public EndpointReference PrimaryEndpoint => new(this, PagesEndpointName);

    /// <summary>Where services send their telemetry.</summary>
    public EndpointReference OtlpGrpcEndpoint => new(this, OtlpGrpcEndpointName);
}
