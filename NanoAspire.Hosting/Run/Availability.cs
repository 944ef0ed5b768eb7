namespace NanoAspire.Hosting.Run;

/// <summary>Marks a resource that nothing on this machine can run; references to it stay empty. Decided before anything starts.</summary>
internal sealed record UnavailableAnnotation(string Reason) : IResourceAnnotation;

internal static class Availability
{
    public static bool IsUnavailable(IResource resource) => resource.HasAnnotationOfType<UnavailableAnnotation>();
}
