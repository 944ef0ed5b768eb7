namespace Aspire.Hosting.ApplicationModel;

/// <summary>An endpoint as a publisher writes it.</summary>
public sealed class ResolvedEndpoint
{
    public required EndpointAnnotation Endpoint { get; init; }

    /// <summary>What the process binds.</summary>
    public ResolvedPort TargetPort { get; init; }

    /// <summary>What others connect to.</summary>
    public ResolvedPort ExposedPort { get; init; }
}
