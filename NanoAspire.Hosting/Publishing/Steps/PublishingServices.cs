using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace NanoAspire.Hosting.Publishing.Steps;

/// <summary>What a host needs in publish mode.</summary>
internal static class PublishingServices
{
    public static void AddPublishing(this IServiceCollection services, IConfiguration configuration, DistributedApplicationPipeline pipeline)
    {
        services.AddSingleton(pipeline);
        services.AddSingleton<IDistributedApplicationPipeline>(pipeline);
        services.AddSingleton<IPipelineOutputService, PipelineOutputService>();
        services.Configure<PipelineOptions>(configuration.GetSection(PipelineOptions.SectionName));
        services.AddHostedService<PublishRunner>();
        pipeline.AddStep(ManifestStep.Name, ManifestStep.RunAsync);
    }
}
