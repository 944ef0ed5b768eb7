using Aspire.Hosting.Eventing;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Hosting.Publishing.Steps;

namespace NanoAspire.Hosting.Tests.Publishing;

/// <summary>Runs steps as the host would, with exceptions instead of an exit code.</summary>
internal static class Steps
{
    public static async Task<IReadOnlyList<string>> RunAsync(IDistributedApplicationBuilder builder, string step)
    {
        await using var application = builder.Build();
        var services = application.Services;
        var model = services.GetRequiredService<DistributedApplicationModel>();
        var execution = services.GetRequiredService<DistributedApplicationExecutionContext>();
        await services.GetRequiredService<IDistributedApplicationEventing>().PublishAsync(new BeforeStartEvent(services, model), TestContext.Current.CancellationToken);
        var context = new PipelineContext(model, execution, services, NullLogger.Instance, TestContext.Current.CancellationToken);
        var ran = new List<string>();
        foreach (var next in await services.GetRequiredService<DistributedApplicationPipeline>().PlanAsync(step, context))
        {
            await next.Action(new() { PipelineContext = context, ReportingStep = new ConsoleReportingStep(next.Name, Microsoft.Extensions.Logging.LogLevel.Information) });
            ran.Add(next.Name);
        }
        return ran;
    }
}
