using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Hosting.Publishing.Steps;

/// <summary>Reports on standard output, problems on standard error; each line names the step.</summary>
internal sealed class ConsoleReportingStep(string name, LogLevel minimum) : IReportingStep
{
    public void Log(LogLevel logLevel, string message, bool enableMarkdown)
    {
        if (logLevel < minimum) return;
        (logLevel >= LogLevel.Warning ? Console.Error : Console.Out).WriteLine($"{name}: {message}");
    }

    public Task CompleteAsync(string completionText, CompletionState completionState = CompletionState.Completed, CancellationToken cancellationToken = default)
    {
        Log(completionState switch
        {
            CompletionState.CompletedWithError => LogLevel.Error,
            CompletionState.CompletedWithWarning => LogLevel.Warning,
            _ => LogLevel.Information,
        }, completionText, enableMarkdown: false);
        return Task.CompletedTask;
    }
}
