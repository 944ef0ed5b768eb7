using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>How a platform asks the published resource about its state. Times are seconds.</summary>
[Experimental("ASPIREPROBES001")]
public class ProbeAnnotation : IResourceAnnotation
{
    public required ProbeType Type { get; init; }
    public int InitialDelaySeconds { get; init; } = 5;
    public int PeriodSeconds { get; init; } = 5;
    public int TimeoutSeconds { get; init; } = 1;

    /// <summary>Failures in a row that count as one.</summary>
    public int FailureThreshold { get; init; } = 3;
    public int SuccessThreshold { get; init; } = 1;
}
