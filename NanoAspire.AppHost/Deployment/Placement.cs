namespace NanoAspire.AppHost.Deployment;

// Facts about where and with what an engine runs. Publishers read them; a run on this machine does not need them.

/// <param name="Count">Whole devices for each instance.</param>
/// <param name="Resource">What the cluster's device plugin calls them.</param>
internal sealed record GpuAnnotation(int Count, string Resource) : IResourceAnnotation;

/// <param name="Resource">The device plugin's resource without its <c>rdma/</c>, such as <c>hca_shared_devices_a</c>; with a slash it is taken as it is.</param>
/// <param name="Count">Devices for each instance.</param>
internal sealed record RdmaAnnotation(string Resource, int Count) : IResourceAnnotation
{
    public string ResourceName => Resource.Contains('/', StringComparison.Ordinal) ? Resource : $"rdma/{Resource}";
}

/// <summary>Where the engine's model comes from: a claim (<c>pvc:NAME</c>), or a folder of the node.</summary>
internal sealed record ModelVolumeAnnotation(string Source) : IResourceAnnotation
{
    private const string ClaimPrefix = "pvc:";
    public string? Claim => Source.StartsWith(ClaimPrefix, StringComparison.Ordinal) ? Source[ClaimPrefix.Length..] : null;
}

/// <param name="Nodes">Machines that one engine spans.</param>
internal sealed record SpanAnnotation(int Nodes) : IResourceAnnotation;

internal sealed record NodeSelectorAnnotation(string Key, string Value) : IResourceAnnotation;

/// <param name="Key">The taint.</param>
/// <param name="Value">Null: whatever its value.</param>
/// <param name="Effect">Null: whatever its effect.</param>
internal sealed record TolerationAnnotation(string Key, string? Value, string? Effect) : IResourceAnnotation;

/// <param name="Size">A quantity of Kubernetes, such as <c>16Gi</c>.</param>
internal sealed record SharedMemoryAnnotation(string Size) : IResourceAnnotation;

/// <summary>The engine uses its node's network: the fabric's addresses are the node's.</summary>
internal sealed record HostNetworkAnnotation : IResourceAnnotation;

/// <param name="Cpu">Cores that are kept for each instance, as a quantity.</param>
/// <param name="Memory">Memory that is kept, and the most that may be used.</param>
internal sealed record ComputeAnnotation(string Cpu, string Memory) : IResourceAnnotation;

/// <param name="Max">Most instances.</param>
/// <param name="Prometheus">Where the engines' metrics can be queried.</param>
/// <param name="WaitingPerEngine">Requests in line that each engine is expected to work off.</param>
internal sealed record AutoscalingAnnotation(int Max, string Prometheus, int WaitingPerEngine) : IResourceAnnotation;

/// <param name="Ready">Path that answers 200 when the service can work.</param>
/// <param name="IsEngine">Whether it holds a model: slow to start, drained before it ends.</param>
internal sealed record ServiceAnnotation(string Ready, bool IsEngine) : IResourceAnnotation;
