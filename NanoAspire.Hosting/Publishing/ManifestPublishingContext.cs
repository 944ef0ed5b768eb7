using System.Text.Json;

namespace Aspire.Hosting.Publishing;

/// <summary>The manifest while it is written.</summary>
public sealed class ManifestPublishingContext(DistributedApplicationExecutionContext executionContext, string manifestPath, Utf8JsonWriter writer,
    CancellationToken cancellationToken = default)
{
    public DistributedApplicationExecutionContext ExecutionContext { get; } = executionContext;
    public string ManifestPath { get; } = manifestPath;
    public Utf8JsonWriter Writer { get; } = writer;
    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>The path as seen from the manifest's folder, with forward slashes.</summary>
    public string? GetManifestRelativePath(string? path)
    {
        if (path is null) return null;
        var folder = Path.GetDirectoryName(Path.GetFullPath(ManifestPath)) ?? throw new DistributedApplicationException("The manifest needs a folder.");
        return Path.GetRelativePath(folder, path).Replace('\\', '/');
    }
}
