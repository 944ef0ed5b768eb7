using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Pipelines;

/// <summary>What a step works with.</summary>
[Experimental("ASPIREPIPELINES001")]
public sealed class PipelineStepContext
{
    public required PipelineContext PipelineContext { get; init; }
    public required IReportingStep ReportingStep { get; init; }
    public DistributedApplicationModel Model => PipelineContext.Model;
    public DistributedApplicationExecutionContext ExecutionContext => PipelineContext.ExecutionContext;
    public IServiceProvider Services => PipelineContext.Services;
    public ILogger Logger => PipelineContext.Logger;
    public CancellationToken CancellationToken => PipelineContext.CancellationToken;
}
