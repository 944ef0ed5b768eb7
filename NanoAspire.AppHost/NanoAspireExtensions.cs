using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.AppHost.Deployment;

namespace NanoAspire.AppHost;

/// <summary>The words of this cluster on top of Aspire's. They use nothing but Aspire's public API.</summary>
internal static class NanoAspireExtensions
{
    /// <summary>The folder inside an engine's image where a published cluster mounts its model.</summary>
    private const string PublishedModel = "/models/demo";

    /// <summary>The model as a parameter. Null, after one line on standard error, when there is none to run.</summary>
    public static IResourceBuilder<ParameterResource>? FindModel(this IDistributedApplicationBuilder builder, string? given)
    {
        if (builder.ExecutionContext.IsPublishMode) return builder.AddParameter("model", given ?? PublishedModel, publishValueAsDefault: true);
        var folder = Path.GetFullPath(given ?? Path.Combine(builder.AppHostDirectory, "..", "models", "nano-demo"));
        var problem = !Directory.Exists(folder) ? $"model folder '{folder}' does not exist"
            : !File.Exists(Path.Combine(folder, "config.json")) ? $"model folder '{folder}' has no config.json: give the folder of a Hugging Face checkpoint"
            : null;
        if (problem is null) return builder.AddParameter("model", folder, publishValueAsDefault: true);
        Console.Error.WriteLine(problem);
        return null;
    }

    /// <summary>A port that people know, where the cluster runs on their machine; a published one gets its ports from the platform.</summary>
    public static int? DevelopmentPort(this IDistributedApplicationBuilder builder, int port) => builder.ExecutionContext.IsRunMode ? port : null;

    /// <summary>Serves the model in one or more instances, each of which registers its own address with Ctrl.</summary>
    public static IResourceBuilder<ProjectResource> AsEngine(this IResourceBuilder<ProjectResource> engine, IResourceBuilder<ParameterResource> model,
        ClusterOptions cluster, int replicas, string? mode = null)
    {
        engine.WithArgs("serve", model.Resource);
        if (mode is not null) engine.WithArgs("--mode", mode);
        if (engine.ApplicationBuilder.ExecutionContext.IsRunMode)
        {
            // Instances of one machine share its cores; prefill and decode take turns on a request, so only siblings count.
            engine.WithArgs(context =>
            {
                var siblings = engine.Resource.GetReplicaCount();
                if (siblings > 1) context.Args.Add("--threads");
                if (siblings > 1) context.Args.Add(Math.Max(1, Environment.ProcessorCount / siblings).ToString(CultureInfo.InvariantCulture));
            });
            engine.WithDrainCommand();
        }
        engine.WithReplicas(replicas);                           // also where it is one: what has replicas can be scaled
        return engine.WithScope(cluster).WithHttpEndpoint().WithHttpHealthCheck("/health").PlacedBy(cluster.Placement);
    }

    public static IResourceBuilder<ProjectResource> WithScope(this IResourceBuilder<ProjectResource> service, ClusterOptions cluster) =>
        cluster.Scope is { } scope ? service.WithArgs("--ctrl-scope", scope) : service;

    /// <summary>Prints where everything is once all is healthy, or ends the program with one line when something cannot start.</summary>
    public static void AnnounceWhenReady(this IDistributedApplicationBuilder builder, IResourceBuilder<ProjectResource> router, IResourceBuilder<ParameterResource> model)
    {
        var underTest = builder.Configuration["DcpPublisher:RandomizePorts"] == "true";
        if (builder.ExecutionContext.IsPublishMode || underTest) return;
        builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<ClusterConsole>(services, router.GetEndpoint("http"), model.Resource));
    }
}
