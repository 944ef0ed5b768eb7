namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// Belongs to the <see cref="HealthCheckAnnotation"/> of the same key and says what to ask, so that each replica
/// is asked at its own address and not through the proxy that would find any healthy one.
/// </summary>
internal sealed record HttpHealthCheckAnnotation(string Key, Func<EndpointReference> Endpoint, string Path, int StatusCode) : IResourceAnnotation;
