using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NanoAspire.Hosting.Publishing.Yaml;

namespace NanoAspire.Hosting.Publishing.Kubernetes;

/// <summary>Writes the model as a Helm chart: <c>Chart.yaml</c>, <c>values.yaml</c> and one folder of templates a resource.</summary>
internal static class HelmChartPublisher
{
    public static async Task RunAsync(KubernetesEnvironmentResource environment, PipelineStepContext context)
    {
        var values = new HelmValues();
        var files = new OrderedDictionary<string, string>();
        foreach (var (resource, target) in ComputeEnvironments.Targets<KubernetesResource>(context.Model, environment))
        {
            if (resource is not (ProjectResource or ContainerResource))
            {
                context.ReportingStep.Log(LogLevel.Warning, $"'{resource.Name}' is a program of this machine and not published; PublishAsDockerFile makes it a container", enableMarkdown: false);
                continue;
            }
            await new KubernetesObjects(target, values, context.ExecutionContext).FillAsync(context.CancellationToken).ConfigureAwait(false);
            foreach (var customization in resource.Annotations.OfType<KubernetesServiceCustomizationAnnotation>().ToArray()) customization.Configure(target);
            foreach (var written in Objects(target))
            {
                var path = $"templates/{resource.Name.ToLowerInvariant()}/{FileName(resource, written)}";
                if (!files.TryAdd(path, $"---\n{YamlText.Kubernetes(written)}")) throw new DistributedApplicationException($"Two objects of '{resource.Name}' would be written to {path}.");
            }
        }
        files.Insert(0, "Chart.yaml", YamlText.Kubernetes(Chart(environment)));
        files.Insert(1, "values.yaml", YamlText.Kubernetes(Sections(values)));

        var folder = context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory(environment);
        await OutputFolder.WriteAsync(folder, files, generated: "templates", context.CancellationToken).ConfigureAwait(false);
        await context.ReportingStep.CompleteAsync($"published Helm chart to {folder}", cancellationToken: context.CancellationToken).ConfigureAwait(false);
    }

    private static IEnumerable<BaseKubernetesResource> Objects(KubernetesResource target)
    {
        if (target.Workload is { } workload) yield return workload;
        if (target.ConfigMap is { } config) yield return config;
        if (target.Secret is { } secret) yield return secret;
        if (target.Service is { } service) yield return service;
        foreach (var additional in target.AdditionalResources) yield return additional;
    }

    /// <summary>The object's name without the resource's; an object without a name is named after its kind.</summary>
    private static string FileName(IResource resource, BaseKubernetesResource written)
    {
        var prefix = $"{resource.Name.ToLowerInvariant()}-";
        var name = written.Metadata.Name is not { Length: > 0 } given ? written.Kind!.ToLowerInvariant()
            : given.StartsWith(prefix, StringComparison.Ordinal) ? given[prefix.Length..]
            : given == prefix[..^1] ? written.Kind!.ToLowerInvariant()
            : given;
        return $"{name}.yaml";
    }

    private static OrderedDictionary<string, object> Chart(KubernetesEnvironmentResource environment) => new()
    {
        ["apiVersion"] = "v2",
        ["name"] = environment.HelmChartName,
        ["version"] = environment.HelmChartVersion,
        ["kubeVersion"] = ">= 1.18.0-0",
        ["description"] = environment.HelmChartDescription,
        ["type"] = "application",
        ["keywords"] = new[] { "aspire", "kubernetes" },
        ["appVersion"] = environment.HelmChartVersion,
        ["deprecated"] = false,
    };

    private static OrderedDictionary<string, object> Sections(HelmValues values) => new()
    {
        ["parameters"] = values.Parameters,
        ["secrets"] = values.Secrets,
        ["config"] = values.Config,
    };
}
