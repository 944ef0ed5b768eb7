namespace NanoAspire.Hosting.Model;

internal sealed record EndpointEnvironmentFilterAnnotation(Func<EndpointAnnotation, bool> Filter) : IResourceAnnotation;
