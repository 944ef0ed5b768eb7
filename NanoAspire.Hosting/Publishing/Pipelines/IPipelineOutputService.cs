using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.Pipelines;

/// <summary>Where steps write.</summary>
[Experimental("ASPIREPIPELINES001")]
public interface IPipelineOutputService
{
    string GetOutputDirectory();

    /// <summary>The folder of one compute environment; the whole output where there is only one.</summary>
    string GetOutputDirectory(IResource resource);
}
