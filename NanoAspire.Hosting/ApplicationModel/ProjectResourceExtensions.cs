namespace Aspire.Hosting.ApplicationModel;

/// <summary>Where a project resource comes from.</summary>
public static class ProjectResourceExtensions
{
    /// <exception cref="InvalidOperationException">The resource was made without project metadata.</exception>
    public static IProjectMetadata GetProjectMetadata(this ProjectResource projectResource) =>
        projectResource.Annotations.OfType<IProjectMetadata>().LastOrDefault()
        ?? throw new InvalidOperationException($"Project resource '{projectResource.Name}' has no project metadata.");
}
