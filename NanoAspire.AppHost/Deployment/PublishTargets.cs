namespace NanoAspire.AppHost.Deployment;

/// <summary>
/// What <c>--publisher</c> may name: <c>manifest</c>, <c>docker-compose</c>, <c>kubernetes</c>. Only the environment that is asked for becomes part of the model,
/// so no resource has to choose one.
/// </summary>
internal static class PublishTargets
{
    private const string Manifest = "manifest";
    private const string Kubernetes = "kubernetes";
    private const string Compose = "docker-compose";
    private const string AllInterfaces = "0.0.0.0";

    /// <summary>False, after one line on standard error, when there is no such publisher.</summary>
    public static bool AddPublishTargets(this IDistributedApplicationBuilder builder)
    {
        if (builder.ExecutionContext.IsRunMode) return true;
        var step = builder.Configuration["Pipeline:Step"];
        // A bare `aspire publish` names a step and no publisher: that is the cluster.
        var publisher = builder.Configuration["Publishing:Publisher"] ?? (step is null or "publish-manifest" ? Manifest : Kubernetes);
        switch (publisher.ToLowerInvariant())
        {
            case Manifest:
                builder.Configuration["Pipeline:Step"] ??= "publish-manifest";
                return true;
            case Kubernetes:
                builder.AddKubernetesEnvironment("k8s").WithProperties(k8s =>
                {
                    k8s.HelmChartName = "nanoaspire";
                    k8s.HelmChartDescription = "Distributed LLM inference: control plane, router, prefill and decode engines";
                    k8s.DefaultStorageType = "pvc";
                });
                foreach (var resource in builder.Compute()) builder.CreateResourceBuilder(resource).PublishAsKubernetesService(target => KubernetesPlacement.Apply(resource, target));
                break;
            case Compose:
                builder.AddDockerComposeEnvironment("compose");
                var gpus = 0;
                foreach (var resource in builder.Compute())
                {
                    var first = gpus;
                    builder.CreateResourceBuilder(resource).PublishAsDockerComposeService((_, service) => ComposePlacement.Apply(resource, service, first, Build(builder, resource)));
                    if (resource.TryGetLastAnnotation<GpuAnnotation>(out var own)) gpus += own.Count;
                }
                break;
            default:
                Console.Error.WriteLine($"unknown publisher '{publisher}'; publishers: {Manifest}, {Compose}, {Kubernetes}");
                return false;
        }
        // Without a step every step would run, the deploying ones too.
        builder.Configuration["Pipeline:Step"] ??= "publish";
        return true;
    }

    /// <summary>What the command line says about engines, as facts on each of them. Published engines listen on every interface of their own container.</summary>
    public static IResourceBuilder<ProjectResource> PlacedBy(this IResourceBuilder<ProjectResource> engine, PlacementOptions options)
    {
        engine.AsService("/health", isEngine: true);
        if (engine.ApplicationBuilder.ExecutionContext.IsRunMode) return engine;
        engine.WithArgs("--host", AllInterfaces);
        if (options.Gpus > 0) engine.WithGpus(options.Gpus);
        if (options.Rdma is var (resource, count)) engine.WithRdma(resource, count);
        if (options.ModelVolume is { } volume) engine.WithModel(volume);
        if (options.SharedMemory is { } shm) engine.WithSharedMemory(shm);
        if (options is { Cpu: { } cpu, Memory: { } memory }) engine.WithCompute(cpu, memory);
        // On the node's network each role needs a port of its own.
        if (options.HostNetwork) engine.WithHostNetwork().WithEndpoint("http", endpoint => endpoint.TargetPort = engine.Resource.Name == "prefill" ? 8200 : 8100);
        if (options.Autoscale is var (max, prometheus)) engine.WithAutoscaling(max, prometheus);
        foreach (var (key, value) in options.NodeSelectors) engine.WithNodeSelector(key, value);
        foreach (var (key, value) in options.Tolerations) engine.WithToleration(key, value);
        return engine;
    }

    /// <summary>Where it is published Redis keeps its data on a volume; a run on this machine forgets it at the end.</summary>
    public static IResourceBuilder<RedisResource> WithPublishedVolume(this IResourceBuilder<RedisResource> redis, string name) =>
        redis.ApplicationBuilder.ExecutionContext.IsRunMode ? redis : redis.WithDataVolume(name).WithPersistence();

    private static IComputeResource[] Compute(this IDistributedApplicationBuilder builder) => [.. builder.Resources.OfType<IComputeResource>()];

    /// <summary>The Dockerfile beside a project; its context is the whole repository.</summary>
    private static (string Context, string Dockerfile)? Build(IDistributedApplicationBuilder builder, IResource resource)
    {
        if (resource is not ProjectResource project) return null;
        var dockerfile = Path.Combine(Path.GetDirectoryName(project.GetProjectMetadata().ProjectPath)!, "Dockerfile");
        if (!File.Exists(dockerfile)) return null;
        var repository = Path.GetFullPath(Path.Combine(builder.AppHostDirectory, ".."));
        var output = Path.GetFullPath(builder.Configuration["Pipeline:OutputPath"] ?? "aspire-output");
        return (Relative(output, repository), Relative(repository, dockerfile));

        static string Relative(string from, string to) => Path.GetRelativePath(from, to).Replace('\\', '/');
    }
}
