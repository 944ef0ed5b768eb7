namespace Aspire.Hosting;

public static partial class ResourceBuilderExtensions
{
    /// <summary>Starts only when the dependency runs and is healthy.</summary>
    /// <exception cref="DistributedApplicationException">The resource would wait for itself or its parent.</exception>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency) where T : IResourceWithWaitSupport =>
        builder.Await(dependency.Resource, WaitType.WaitUntilHealthy);

    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, WaitBehavior waitBehavior)
        where T : IResourceWithWaitSupport => builder.Await(dependency.Resource, WaitType.WaitUntilHealthy, waitBehavior);

    /// <summary>Starts only when the dependency runs, healthy or not.</summary>
    public static IResourceBuilder<T> WaitForStart<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency) where T : IResourceWithWaitSupport =>
        builder.Await(dependency.Resource, WaitType.WaitUntilStarted);

    public static IResourceBuilder<T> WaitForStart<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, WaitBehavior waitBehavior)
        where T : IResourceWithWaitSupport => builder.Await(dependency.Resource, WaitType.WaitUntilStarted, waitBehavior);

    /// <summary>Starts only when the dependency has ended with the exit code.</summary>
    public static IResourceBuilder<T> WaitForCompletion<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, int exitCode = 0)
        where T : IResourceWithWaitSupport => builder.Await(dependency.Resource, WaitType.WaitForCompletion, exitCode: exitCode);

    /// <summary>Starts on command only.</summary>
    public static IResourceBuilder<T> WithExplicitStart<T>(this IResourceBuilder<T> builder) where T : IResource =>
        builder.WithAnnotation(new ExplicitStartupAnnotation(), ResourceAnnotationMutationBehavior.Replace);

    public static IResourceBuilder<T> WithParentRelationship<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> parent) where T : IResource =>
        builder.WithRelationship(parent.Resource, KnownRelationshipTypes.Parent);

    public static IResourceBuilder<T> WithParentRelationship<T>(this IResourceBuilder<T> builder, IResource parent) where T : IResource =>
        builder.WithRelationship(parent, KnownRelationshipTypes.Parent);

    public static IResourceBuilder<T> WithChildRelationship<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> child) where T : IResource =>
        builder.WithChildRelationship(child.Resource);

    public static IResourceBuilder<T> WithChildRelationship<T>(this IResourceBuilder<T> builder, IResource child) where T : IResource
    {
        child.Annotations.Add(new ResourceRelationshipAnnotation(builder.Resource, KnownRelationshipTypes.Parent));
        return builder;
    }

    public static IResourceBuilder<T> WithReferenceRelationship<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> resourceBuilder) where T : IResource =>
        builder.WithRelationship(resourceBuilder.Resource, KnownRelationshipTypes.Reference);

    public static IResourceBuilder<T> WithReferenceRelationship<T>(this IResourceBuilder<T> builder, IResource resource) where T : IResource =>
        builder.WithRelationship(resource, KnownRelationshipTypes.Reference);

    public static IResourceBuilder<T> WithRelationship<T>(this IResourceBuilder<T> builder, IResource resource, string type) where T : IResource =>
        builder.Relate(resource, type);

    public static IResourceBuilder<T> WithIconName<T>(this IResourceBuilder<T> builder, string iconName, IconVariant iconVariant = IconVariant.Filled) where T : IResource =>
        builder.WithAnnotation(new ResourceIconAnnotation(iconName, iconVariant), ResourceAnnotationMutationBehavior.Replace);

    public static IResourceBuilder<T> ExcludeFromManifest<T>(this IResourceBuilder<T> builder) where T : IResource =>
        builder.WithAnnotation(ManifestPublishingCallbackAnnotation.Ignore);

    private static IResourceBuilder<T> Await<T>(this IResourceBuilder<T> builder, IResource dependency, WaitType type, WaitBehavior? behavior = null, int exitCode = 0)
        where T : IResourceWithWaitSupport
    {
        var waiter = builder.Resource;
        if (ReferenceEquals(waiter, dependency)) throw new DistributedApplicationException($"The '{waiter.Name}' resource cannot wait for itself.");
        for (var parent = (waiter as IResourceWithParent)?.Parent; parent is not null; parent = (parent as IResourceWithParent)?.Parent)
        {
            if (ReferenceEquals(parent, dependency)) throw new DistributedApplicationException($"The '{waiter.Name}' resource cannot wait for its parent '{dependency.Name}'.");
        }
        if (dependency is IResourceWithParent { Parent: var owner } && type != WaitType.WaitForCompletion && !ReferenceEquals(owner, waiter)) builder.Await(owner, type, behavior);
        return builder.Relate(dependency, KnownRelationshipTypes.WaitFor)
            .WithAnnotation(new WaitAnnotation(dependency, type, exitCode) { WaitBehavior = behavior });
    }
}
