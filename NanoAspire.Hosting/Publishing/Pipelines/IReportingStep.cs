using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Pipelines;

/// <summary>Tells the user how a step goes.</summary>
[Experimental("ASPIREPIPELINES001")]
public interface IReportingStep
{
    void Log(LogLevel logLevel, string message, bool enableMarkdown);

    /// <summary>The line that the step ends with.</summary>
    Task CompleteAsync(string completionText, CompletionState completionState = CompletionState.Completed, CancellationToken cancellationToken = default);
}
