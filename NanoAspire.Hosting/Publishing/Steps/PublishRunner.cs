using Aspire.Hosting.Eventing;
using Aspire.Hosting.Pipelines;
using Aspire.Hosting.Publishing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace NanoAspire.Hosting.Publishing.Steps;

/// <summary>
/// What a host does in publish mode: the requested step and all it depends on, then it ends. Exit code 1 and one line when a step fails,
/// 2 when the request itself makes no sense.
/// </summary>
internal sealed class PublishRunner(DistributedApplicationPipeline pipeline, DistributedApplicationModel model, DistributedApplicationExecutionContext execution,
    IServiceProvider services, IDistributedApplicationEventing eventing, IOptions<PipelineOptions> options, ILogger<PublishRunner> logger, IHostApplicationLifetime lifetime) : BackgroundService
{
    private const int Failure = 1;
    private const int UsageError = 2;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await eventing.PublishAsync(new BeforePublishEvent(services, model), stoppingToken).ConfigureAwait(false);
            await RunStepsAsync(stoppingToken).ConfigureAwait(false);
            await eventing.PublishAsync(new AfterPublishEvent(services, model), stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            Fail(Failure, "interrupted");
        }
        catch (PublishUsageException e)
        {
            Fail(UsageError, e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(Failure, $"cannot write the output: {e.Message}", e);
        }
        catch (Exception e) when (e is not OutOfMemoryException)             // a step may throw anything; it is the user's program
        {
            Fail(Failure, e.Message, e);
        }
        lifetime.StopApplication();
    }

    private async Task RunStepsAsync(CancellationToken ct)
    {
        var context = new PipelineContext(model, execution, services, logger, ct);
        var minimum = Enum.TryParse<LogLevel>(options.Value.LogLevel, ignoreCase: true, out var level) ? level : LogLevel.Information;
        foreach (var step in await pipeline.PlanAsync(RequestedStep(), context).ConfigureAwait(false))
        {
            ct.ThrowIfCancellationRequested();
            await step.Action(new() { PipelineContext = context, ReportingStep = new ConsoleReportingStep(step.Name, minimum) }).ConfigureAwait(false);
        }
    }

    /// <summary>A publisher without a step means <c>publish</c>; one that nothing in the model answers to is a mistake, not an empty success.</summary>
    private string RequestedStep()
    {
        if (options.Value.Step is { Length: > 0 } step) return step;
        return model.Resources.OfType<IComputeEnvironmentResource>().Any()
            ? WellKnownPipelineSteps.Publish
            : throw new PublishUsageException($"publisher '{execution.PublisherName}' is not known: this application has 'manifest' and no compute environment");
    }

    private void Fail(int code, string message, Exception? details = null)
    {
        Console.Error.WriteLine(message.ReplaceLineEndings(" "));
        if (details is not null && options.Value.IncludeExceptionDetails) Console.Error.WriteLine(details);
        Environment.ExitCode = code;
    }
}
