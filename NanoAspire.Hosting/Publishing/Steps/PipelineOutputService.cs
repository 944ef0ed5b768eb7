using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Options;

namespace NanoAspire.Hosting.Publishing.Steps;

internal sealed class PipelineOutputService(IOptions<PipelineOptions> options, DistributedApplicationModel model) : IPipelineOutputService
{
    public string GetOutputDirectory() => Path.GetFullPath(options.Value.OutputPath ?? "aspire-output");

    public string GetOutputDirectory(IResource resource) =>
        model.Resources.OfType<IComputeEnvironmentResource>().Count() > 1 ? Path.Combine(GetOutputDirectory(), resource.Name) : GetOutputDirectory();
}
