using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NanoAspire.Hosting.Run;

/// <summary>What the graph of resources says as a whole.</summary>
internal static class ModelChecks
{
    /// <exception cref="DistributedApplicationException">Resources wait for each other in a circle, or a health check key has no check.</exception>
    public static void Check(DistributedApplicationModel model, HealthCheckServiceOptions checks)
    {
        var keys = checks.Registrations.Select(r => r.Name).ToHashSet();
        foreach (var resource in model.Resources)
        {
            foreach (var annotation in resource.Annotations.OfType<HealthCheckAnnotation>())
            {
                if (!keys.Contains(annotation.Key))
                {
                    throw new DistributedApplicationException($"Resource '{resource.Name}' refers to health check '{annotation.Key}', which is not registered.");
                }
            }
            if (CircleFrom(resource) is { } circle) throw new DistributedApplicationException($"Resources wait for each other: {circle}.");
        }
    }

    /// <summary>Layers in which to stop: each resource before those that it waits for or refers to.</summary>
    public static IEnumerable<IReadOnlyList<IResource>> StopOrder(DistributedApplicationModel model)
    {
        var height = new Dictionary<IResource, int>();
        foreach (var resource in model.Resources) Height(resource, height, []);
        return model.Resources.GroupBy(r => height[r]).OrderByDescending(g => g.Key).Select(g => (IReadOnlyList<IResource>)[.. g]);
    }

    /// <summary>The longest way down to a resource without dependencies; edges that close a circle of references do not count.</summary>
    private static int Height(IResource resource, Dictionary<IResource, int> known, HashSet<IResource> path)
    {
        if (known.TryGetValue(resource, out var height)) return height;
        if (!path.Add(resource)) return -1;
        foreach (var dependency in Dependencies(resource)) height = Math.Max(height, Height(dependency, known, path) + 1);
        path.Remove(resource);
        return known[resource] = height;
    }

    private static IEnumerable<IResource> Dependencies(IResource resource) =>
        resource.Annotations.OfType<WaitAnnotation>().Select(w => w.Resource).Concat(resource.Annotations.OfType<ResourceRelationshipAnnotation>()
            .Where(r => r.Type is KnownRelationshipTypes.Reference or KnownRelationshipTypes.WaitFor).Select(r => r.Resource)).Distinct();

    private static string? CircleFrom(IResource start)
    {
        var path = new List<IResource>();
        return Visit(start) ? string.Join(" → ", path.Append(start).Select(r => r.Name)) : null;

        bool Visit(IResource current)
        {
            if (path.Contains(current)) return false;
            path.Add(current);
            foreach (var next in current.Annotations.OfType<WaitAnnotation>().Select(w => w.Resource))
            {
                if (ReferenceEquals(next, start) || Visit(next)) return true;
            }
            path.RemoveAt(path.Count - 1);
            return false;
        }
    }
}
