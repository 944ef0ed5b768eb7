using System.Text.RegularExpressions;

namespace NanoAspire.AppHost.Deployment;

/// <summary>Says where and with what a service runs when it is published. Uses nothing but Aspire's public API.</summary>
internal static partial class PlacementExtensions
{
    /// <summary>Whole GPUs for each instance.</summary>
    public static IResourceBuilder<T> WithGpus<T>(this IResourceBuilder<T> engine, int count, string resource = "nvidia.com/gpu") where T : IComputeResource
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return engine.Put(new GpuAnnotation(count, resource));
    }

    /// <summary>RDMA devices for each instance, by the name that the cluster's device plugin gives them.</summary>
    public static IResourceBuilder<T> WithRdma<T>(this IResourceBuilder<T> engine, string resource, int count = 1) where T : IComputeResource
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(resource);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return engine.Put(new RdmaAnnotation(resource, count));
    }

    /// <summary>Mounts the folder that the models lie in: <c>pvc:NAME</c> is a claim, anything else a folder of the node.</summary>
    public static IResourceBuilder<T> WithModel<T>(this IResourceBuilder<T> engine, string source) where T : IComputeResource
    {
        if (!source.StartsWith("pvc:", StringComparison.Ordinal) && !source.StartsWith('/')) throw new ArgumentException($"'{source}' is neither pvc:NAME nor an absolute path.", nameof(source));
        return engine.Put(new ModelVolumeAnnotation(source));
    }

    /// <summary>Engines of this kind; each spans <see cref="SpanningNodes"/> nodes.</summary>
    public static IResourceBuilder<T> WithEngineReplicas<T>(this IResourceBuilder<T> engine, int replicas) where T : IComputeResource
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(replicas);
        return engine.Put(new ReplicaAnnotation(replicas));
    }

    /// <summary>One engine is a group of pods, one a node, that live and die together.</summary>
    public static IResourceBuilder<T> SpanningNodes<T>(this IResourceBuilder<T> engine, int nodes) where T : IComputeResource
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nodes, 2);
        return engine.Put(new SpanAnnotation(nodes));
    }

    public static IResourceBuilder<T> WithNodeSelector<T>(this IResourceBuilder<T> engine, string key, string value) where T : IComputeResource =>
        engine.WithAnnotation(new NodeSelectorAnnotation(key, value));

    public static IResourceBuilder<T> WithToleration<T>(this IResourceBuilder<T> engine, string key, string? value = null, string? effect = null) where T : IComputeResource =>
        engine.WithAnnotation(new TolerationAnnotation(key, value, effect));

    /// <summary>Size of <c>/dev/shm</c>. It counts against the memory limit.</summary>
    public static IResourceBuilder<T> WithSharedMemory<T>(this IResourceBuilder<T> engine, string size) where T : IComputeResource =>
        engine.Put(new SharedMemoryAnnotation(Quantity(size)));

    public static IResourceBuilder<T> WithHostNetwork<T>(this IResourceBuilder<T> engine) where T : IComputeResource => engine.Put(new HostNetworkAnnotation());

    /// <summary>Cores and memory that are kept for each instance.</summary>
    public static IResourceBuilder<T> WithCompute<T>(this IResourceBuilder<T> service, string cpu, string memory) where T : IComputeResource =>
        service.Put(new ComputeAnnotation(Quantity(cpu), Quantity(memory)));

    /// <summary>Adds engines while requests wait in line. Needs KEDA and a Prometheus that scrapes the engines.</summary>
    public static IResourceBuilder<T> WithAutoscaling<T>(this IResourceBuilder<T> engine, int max, string prometheus, int waitingPerEngine = 4) where T : IComputeResource
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(waitingPerEngine);
        return engine.Put(new AutoscalingAnnotation(max, prometheus, waitingPerEngine));
    }

    /// <summary>Tells publishers what to probe.</summary>
    public static IResourceBuilder<T> AsService<T>(this IResourceBuilder<T> service, string ready, bool isEngine = false) where T : IComputeResource =>
        service.Put(new ServiceAnnotation(ready, isEngine));

    /// <exception cref="ArgumentException">The text is no quantity of Kubernetes.</exception>
    internal static string Quantity(string text) => QuantityPattern().IsMatch(text) ? text : throw new ArgumentException($"'{text}' is not a quantity such as 500m, 8 or 16Gi.", nameof(text));

    private static IResourceBuilder<T> Put<T, TAnnotation>(this IResourceBuilder<T> builder, TAnnotation annotation) where T : IComputeResource where TAnnotation : IResourceAnnotation =>
        builder.WithAnnotation(annotation, ResourceAnnotationMutationBehavior.Replace);

    [GeneratedRegex("^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$")]
    private static partial Regex QuantityPattern();
}
