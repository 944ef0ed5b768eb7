using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting;

/// <summary>Finds builders of resources that were added before.</summary>
public static class DistributedApplicationBuilderExtensions
{
    /// <exception cref="InvalidOperationException">No resource has that name, or it is of another type.</exception>
    public static IResourceBuilder<T> CreateResourceBuilder<T>(this IDistributedApplicationBuilder builder, string name) where T : IResource
    {
        var resource = builder.Resources.FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidOperationException($"Resource '{name}' was not found.");
        return resource is T typed
            ? builder.CreateResourceBuilder(typed)
            : throw new InvalidOperationException($"Resource '{name}' of type '{resource.GetType()}' is not assignable to requested type '{typeof(T)}'.");
    }

    public static bool TryCreateResourceBuilder<T>(this IDistributedApplicationBuilder builder, string name, [NotNullWhen(true)] out IResourceBuilder<T>? resourceBuilder) where T : IResource
    {
        var found = builder.Resources.OfType<T>().FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase));
        resourceBuilder = found is null ? null : builder.CreateResourceBuilder(found);
        return resourceBuilder is not null;
    }
}
