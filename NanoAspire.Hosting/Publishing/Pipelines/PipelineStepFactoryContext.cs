using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.Pipelines;

/// <summary>What a resource makes its steps from.</summary>
[Experimental("ASPIREPIPELINES001")]
public class PipelineStepFactoryContext
{
    public required PipelineContext PipelineContext { get; init; }
    public required IResource Resource { get; init; }
}
