namespace NanoAspire.Hosting.Model;

/// <summary>A project that is known by its path only.</summary>
internal sealed class PathProjectMetadata(string projectPath) : IProjectMetadata
{
    public string ProjectPath { get; } = projectPath;
}
