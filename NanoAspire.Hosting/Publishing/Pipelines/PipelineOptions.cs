using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.Pipelines;

/// <summary>Configuration section <c>Pipeline</c>: what <c>--step</c>, <c>--output-path</c> and the like set.</summary>
[Experimental("ASPIREPIPELINES001")]
public sealed class PipelineOptions
{
    public const string SectionName = "Pipeline";

    /// <summary>Where publishers write; without it <c>aspire-output</c> in the current folder.</summary>
    public string? OutputPath { get; set; }

    /// <summary>The step to run.</summary>
    public string? Step { get; set; }
    public string? LogLevel { get; set; }
    public bool IncludeExceptionDetails { get; set; }
    public bool ClearCache { get; set; }
}
