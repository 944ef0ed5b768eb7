namespace Aspire.Hosting.ApplicationModel;

/// <summary>The image is built from a Dockerfile. Paths are absolute.</summary>
public class DockerfileBuildAnnotation(string contextPath, string dockerfilePath, string? stage) : IResourceAnnotation
{
    public string ContextPath { get; } = contextPath;
    public string DockerfilePath { get; } = dockerfilePath;

    /// <summary>The stage to build; null is the last one.</summary>
    public string? Stage { get; } = stage;

    /// <summary>Text, numbers, parameters and other values of the model.</summary>
    public Dictionary<string, object?> BuildArguments { get; } = [];

    /// <summary>Values that only the build sees, as parameters or files (<see cref="FileInfo"/>).</summary>
    public Dictionary<string, object> BuildSecrets { get; } = [];
}
