using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Pipelines;

/// <summary>What all steps of a run share.</summary>
[Experimental("ASPIREPIPELINES001")]
public sealed class PipelineContext(DistributedApplicationModel model, DistributedApplicationExecutionContext executionContext, IServiceProvider serviceProvider,
    ILogger logger, CancellationToken cancellationToken)
{
    public DistributedApplicationModel Model { get; } = model;
    public DistributedApplicationExecutionContext ExecutionContext { get; } = executionContext;
    public IServiceProvider Services { get; } = serviceProvider;
    public ILogger Logger { get; } = logger;
    public CancellationToken CancellationToken { get; set; } = cancellationToken;
}
