namespace Aspire.Hosting;

/// <summary>Where a project is. The build generates one implementation per referenced project, in namespace <c>Projects</c>.</summary>
public interface IProjectMetadata : IResourceAnnotation
{
    /// <summary>The absolute path of the project file.</summary>
    string ProjectPath { get; }
    LaunchSettings? LaunchSettings => null;

    /// <summary>The host's own build has built it.</summary>
    bool SuppressBuild => false;
    bool IsFileBasedApp => string.Equals(Path.GetExtension(ProjectPath), ".cs", StringComparison.OrdinalIgnoreCase);
}
