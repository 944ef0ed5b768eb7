using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.Pipelines;

/// <summary>All steps of a pipeline, before they are put in order.</summary>
[Experimental("ASPIREPIPELINES001")]
public class PipelineConfigurationContext
{
    public required IServiceProvider Services { get; init; }
    public required DistributedApplicationModel Model { get; init; }
    public required IReadOnlyList<PipelineStep> Steps { get; init; }

    public IEnumerable<PipelineStep> GetSteps(string tag) => Steps.Where(s => s.Tags.Contains(tag));
    public IEnumerable<PipelineStep> GetSteps(IResource resource) => Steps.Where(s => ReferenceEquals(s.Resource, resource));
    public IEnumerable<PipelineStep> GetSteps(IResource resource, string tag) => GetSteps(resource).Where(s => s.Tags.Contains(tag));
}
