using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.Pipelines;

/// <summary>One piece of work in a pipeline.</summary>
[Experimental("ASPIREPIPELINES001")]
public class PipelineStep
{
    public required string Name { get; init; }
    public required Func<PipelineStepContext, Task> Action { get; init; }
    public string? Description { get; init; }
    public List<string> DependsOnSteps { get; init; } = [];
    public List<string> RequiredBySteps { get; init; } = [];
    public List<string> Tags { get; init; } = [];

    /// <summary>The resource that the step is about, if it is about one.</summary>
    public IResource? Resource { get; set; }

    public void DependsOn(string stepName) => DependsOnSteps.Add(stepName);
    public void DependsOn(PipelineStep step) => DependsOnSteps.Add(step.Name);
    public void RequiredBy(string stepName) => RequiredBySteps.Add(stepName);
    public void RequiredBy(PipelineStep step) => RequiredBySteps.Add(step.Name);
}
