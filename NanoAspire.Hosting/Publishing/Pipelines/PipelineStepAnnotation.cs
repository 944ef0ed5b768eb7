using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.Pipelines;

/// <summary>Steps that a resource brings with it.</summary>
[Experimental("ASPIREPIPELINES001")]
public class PipelineStepAnnotation : IResourceAnnotation
{
    private readonly Func<PipelineStepFactoryContext, Task<IEnumerable<PipelineStep>>> _create;

    public PipelineStepAnnotation(Func<PipelineStepFactoryContext, PipelineStep> factory) => _create = context => Task.FromResult<IEnumerable<PipelineStep>>([factory(context)]);
    public PipelineStepAnnotation(Func<PipelineStepFactoryContext, Task<PipelineStep>> factory) => _create = async context => [await factory(context).ConfigureAwait(false)];
    public PipelineStepAnnotation(Func<PipelineStepFactoryContext, IEnumerable<PipelineStep>> factory) => _create = context => Task.FromResult(factory(context));
    public PipelineStepAnnotation(Func<PipelineStepFactoryContext, Task<IEnumerable<PipelineStep>>> factory) => _create = factory;

    public Task<IEnumerable<PipelineStep>> CreateStepsAsync(PipelineStepFactoryContext context) => _create(context);
}
