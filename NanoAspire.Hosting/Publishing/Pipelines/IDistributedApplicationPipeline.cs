using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.Pipelines;

/// <summary>What happens when the application is published: named steps, of which the requested one and those it depends on are run.</summary>
[Experimental("ASPIREPIPELINES001")]
public interface IDistributedApplicationPipeline
{
    /// <summary>Adds a step. <paramref name="dependsOn"/> and <paramref name="requiredBy"/> are a name or an <see cref="IEnumerable{T}"/> of names.</summary>
    /// <exception cref="InvalidOperationException">There is a step of that name.</exception>
    void AddStep(string name, Func<PipelineStepContext, Task> action, object? dependsOn = null, object? requiredBy = null);

    /// <inheritdoc cref="AddStep(string, Func{PipelineStepContext, Task}, object?, object?)"/>
    void AddStep(PipelineStep step);

    /// <summary>Called with all steps, before they are put in order: the last chance to add dependencies.</summary>
    void AddPipelineConfiguration(Func<PipelineConfigurationContext, Task> callback);
}
