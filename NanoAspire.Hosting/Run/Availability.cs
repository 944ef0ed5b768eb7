namespace NanoAspire.Hosting.Run;

/// <summary>Marks a resource that nothing on this machine can run; references to it stay empty. Decided before anything starts.</summary>
internal sealed record UnavailableAnnotation(string Reason) : IResourceAnnotation;

internal static class Availability
{
    public static bool IsUnavailable(IResource resource) => resource.HasAnnotationOfType<UnavailableAnnotation>();

    /// <summary>One line for the user: what is missing, and who does without it.</summary>
    public static string Describe(IResource resource, string reason, DistributedApplicationModel model)
    {
        var consumers = model.Resources.Where(r => r.Annotations.OfType<ResourceRelationshipAnnotation>().Any(a => ReferenceEquals(a.Resource, resource))).Select(r => r.Name).ToArray();
        var effect = consumers.Length == 0 ? "nobody needs it" : $"{string.Join(", ", consumers)} gets no connection string and uses its embedded store";
        return $"Not started ({reason}): {effect}.";
    }
}
