#pragma warning disable ASPIREPIPELINES001 // the resource itself is not experimental
using Aspire.Hosting.Docker.Resources;
using Aspire.Hosting.Pipelines;
using NanoAspire.Hosting.Publishing.Compose;

namespace Aspire.Hosting.Docker;

/// <summary>A machine with Docker Compose (or <c>podman compose</c>) that the application is published for.</summary>
public class DockerComposeEnvironmentResource : Resource, IComputeEnvironmentResource
{
    public DockerComposeEnvironmentResource(string name) : base(name) =>
        Annotations.Add(new PipelineStepAnnotation(_ => new PipelineStep
        {
            Name = $"publish-{name}",
            Description = $"Writes the compose file of {name}.",
            RequiredBySteps = [WellKnownPipelineSteps.Publish],
            DependsOnSteps = [WellKnownPipelineSteps.PublishPrereq],
            Resource = this,
            Action = context => ComposePublisher.RunAsync(this, context),
        }));

    /// <summary>The network that all services share; <c>aspire</c> unless given.</summary>
    public string? DefaultNetworkName { get; set; }

    /// <summary>Whether the file has a dashboard that shows the telemetry of the services.</summary>
    public bool DashboardEnabled { get; set; }

    /// <summary>Written where <see cref="DashboardEnabled"/> says so.</summary>
    internal IResourceBuilder<DockerComposeAspireDashboardResource>? Dashboard { get; set; }

    internal List<Action<ComposeFile>> FileCallbacks { get; } = [];
    internal List<Action<IDictionary<string, CapturedEnvironmentVariable>>> EnvFileCallbacks { get; } = [];

    /// <summary>The variables of <c>.env</c>, in order of first use.</summary>
    internal ComposeVariables Variables { get; } = new();
}
