using Aspire.Hosting.Docker;
using Aspire.Hosting.Docker.Resources;
using Aspire.Hosting.Docker.Resources.ComposeNodes;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NanoAspire.Hosting.Publishing.Yaml;

namespace NanoAspire.Hosting.Publishing.Compose;

/// <summary>Writes the model as <c>docker-compose.yaml</c> and the <c>.env</c> that it reads. Nothing is started.</summary>
internal static class ComposePublisher
{
    private const string EnvFile = ".env";

    public static async Task RunAsync(DockerComposeEnvironmentResource environment, PipelineStepContext context)
    {
        var ct = context.CancellationToken;
        var file = new ComposeFile();
        var network = environment.DefaultNetworkName ?? "aspire";
        file.Networks[network] = new Network { Name = network, Driver = "bridge" };

        var targets = ComputeEnvironments.Targets<DockerComposeServiceResource>(context.Model, environment).ToArray();
        foreach (var (resource, _) in targets.Where(t => !IsContainer(t.Resource)))
        {
            context.ReportingStep.Log(LogLevel.Warning, $"'{resource.Name}' is a program of this machine and not published; PublishAsDockerFile makes it a container", enableMarkdown: false);
        }
        var published = targets.Select(t => t.Resource).Where(IsContainer).ToArray();
        var names = published.Select(ComposeTranslator.ServiceName).ToHashSet();
        var services = new ComposeServices(environment, file, context.ExecutionContext);
        if (environment is { DashboardEnabled: true, Dashboard.Resource: var dashboard })
        {
            file.Services[ComposeTranslator.ServiceName(dashboard)] = await ComposeDashboard.CreateAsync(dashboard, services, ct).ConfigureAwait(false);
        }
        foreach (var (resource, target) in targets.Where(t => IsContainer(t.Resource)))
        {
            var service = await services.CreateAsync(resource, names, ct).ConfigureAwait(false);
            foreach (var customization in resource.Annotations.OfType<DockerComposeServiceCustomizationAnnotation>().ToArray()) customization.Configure(target, service);
            file.Services[ComposeTranslator.ServiceName(resource)] = service;
        }
        foreach (var resource in published) services.WaitForHealth(resource, file.Services[ComposeTranslator.ServiceName(resource)]);
        foreach (var callback in environment.FileCallbacks) callback(file);
        foreach (var callback in environment.EnvFileCallbacks) callback(environment.Variables.All);

        var folder = context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory(environment);
        var env = Path.Combine(folder, EnvFile);
        var existing = File.Exists(env) ? await File.ReadAllTextAsync(env, ct).ConfigureAwait(false) : null;
        await OutputFolder.WriteAsync(folder, new Dictionary<string, string>
        {
            ["docker-compose.yaml"] = YamlText.Compose(file),
            [EnvFile] = environment.Variables.Render(existing),
        }, generated: null, ct).ConfigureAwait(false);
        await context.ReportingStep.CompleteAsync($"published compose file to {folder}", cancellationToken: ct).ConfigureAwait(false);
    }

    private static bool IsContainer(IResource resource) => resource is ProjectResource or ContainerResource;
}
