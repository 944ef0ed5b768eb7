using System.Globalization;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;
using NanoAspire.AppHost.Deployment.Kinds;

namespace NanoAspire.AppHost.Deployment;

/// <summary>Puts the facts about a service into its Kubernetes objects.</summary>
internal static class KubernetesPlacement
{
    private const string ModelsPath = "/models";
    private const string PodAddress = "$(POD_IP)";
    private const long RedisUser = 999;                          // of the official image

    public static void Apply(IResource resource, KubernetesResource target)
    {
        if (target.Workload is not { } workload || workload.PodTemplate.Spec.Containers is not [{ } container, ..]) return;
        var pod = workload.PodTemplate.Spec;
        var replicas = resource.TryGetLastAnnotation<ReplicaAnnotation>(out var annotation) ? annotation.Replicas : 1;
        if (resource is RedisResource) pod.SecurityContext = AsUser(pod.SecurityContext, RedisUser);
        AddProbes(resource, container);
        AddDevices(resource, pod, container);
        AddVolumes(resource, pod, container);
        Place(resource, pod);
        if (resource.TryGetLastAnnotation<ServiceAnnotation>(out var service) && service.IsEngine)
        {
            AddEngine(pod, container);
            target.Workload = EngineWorkload(resource, target, workload, replicas);
        }
        if (replicas > 1 || resource.HasAnnotationOfType<AutoscalingAnnotation>()) AddBudget(resource, target);
        if (resource.TryGetLastAnnotation<AutoscalingAnnotation>(out var scaling)) AddScaling(resource, target, scaling, replicas);
    }

    /// <summary>An engine listens when its model is loaded, which takes as long as the model is large: the startup probe waits half an hour.</summary>
    private static void AddProbes(IResource resource, ContainerV1 container)
    {
        if (!resource.TryGetLastAnnotation<ServiceAnnotation>(out var service)) return;
        container.StartupProbe = Probe("/alive", period: 5, failures: service.IsEngine ? 360 : 24);
        container.ReadinessProbe = Probe(service.Ready, period: 5, failures: 3);
        container.LivenessProbe = Probe("/alive", period: 10, failures: 6);

        static ProbeV1 Probe(string path, int period, int failures) => new()
        {
            HttpGet = new() { Path = path, Port = new Int32OrStringV1("http"), Scheme = "HTTP" },
            PeriodSeconds = period,
            TimeoutSeconds = 3,
            FailureThreshold = failures,
        };
    }

    /// <summary>The KV cache is offered at the pod's own address: the name of a pod means nothing to its peers. Ending, an engine finishes what it has.</summary>
    private static void AddEngine(PodSpecV1 pod, ContainerV1 container)
    {
        pod.TerminationGracePeriodSeconds = 120;
        container.Env.Add(new() { Name = "POD_IP", ValueFrom = new() { FieldRef = new() { FieldPath = "status.podIP" } } });
        var host = container.Args.IndexOf("--host");
        if (host >= 0 && host + 1 < container.Args.Count) container.Args[host + 1] = PodAddress;
    }

    private static void AddDevices(IResource resource, PodSpecV1 pod, ContainerV1 container)
    {
        var resources = container.Resources ?? new();
        if (resource.TryGetLastAnnotation<ComputeAnnotation>(out var compute))
        {
            resources.Requests["cpu"] = compute.Cpu;
            resources.Requests["memory"] = resources.Limits["memory"] = compute.Memory;
        }
        if (resource.TryGetLastAnnotation<GpuAnnotation>(out var gpus))
        {
            Extended(gpus.Resource, gpus.Count);
            pod.Tolerations.Add(new() { Key = gpus.Resource, Operator = "Exists", Effect = "NoSchedule" });
        }
        if (resource.TryGetLastAnnotation<RdmaAnnotation>(out var rdma))
        {
            Extended(rdma.ResourceName, rdma.Count);
            // Registered memory may exceed the memlock limit only with IPC_LOCK, and Kubernetes gives capabilities to root alone.
            container.SecurityContext = new() { RunAsUser = 0, RunAsNonRoot = false, AllowPrivilegeEscalation = false, Capabilities = new() { Add = { "IPC_LOCK" }, Drop = { "ALL" } } };
        }
        if (resources.Limits.Count > 0 || resources.Requests.Count > 0) container.Resources = resources;

        // Extended resources cannot be overcommitted: limit and request are one number.
        void Extended(string name, int count) => resources.Limits[name] = resources.Requests[name] = count.ToString(CultureInfo.InvariantCulture);
    }

    private static void AddVolumes(IResource resource, PodSpecV1 pod, ContainerV1 container)
    {
        if (resource.TryGetLastAnnotation<SharedMemoryAnnotation>(out var memory))
        {
            pod.Volumes.Add(new() { Name = "shm", EmptyDir = new() { Medium = "Memory", SizeLimit = memory.Size } });
            container.VolumeMounts.Add(new() { Name = "shm", MountPath = "/dev/shm" });
        }
        if (!resource.TryGetLastAnnotation<ModelVolumeAnnotation>(out var model)) return;
        pod.Volumes.Add(model.Claim is { } claim
            ? new() { Name = "models", PersistentVolumeClaim = new() { ClaimName = claim, ReadOnly = true } }
            : new() { Name = "models", HostPath = new() { Path = model.Source, Type = "Directory" } });
        container.VolumeMounts.Add(new() { Name = "models", MountPath = ModelsPath, ReadOnly = true });
    }

    private static void Place(IResource resource, PodSpecV1 pod)
    {
        foreach (var selector in resource.Annotations.OfType<NodeSelectorAnnotation>()) pod.NodeSelector[selector.Key] = selector.Value;
        foreach (var toleration in resource.Annotations.OfType<TolerationAnnotation>())
        {
            var written = new TolerationV1 { Key = toleration.Key, Operator = toleration.Value is null ? "Exists" : "Equal" };
            if (toleration.Value is { } value) written.Value = value;
            if (toleration.Effect is { } effect) written.Effect = effect;
            pod.Tolerations.Add(written);
        }
        if (!resource.HasAnnotationOfType<HostNetworkAnnotation>()) return;
        // On the node's network two engines of a kind would want the same port.
        pod.HostNetwork = true;
        pod.DnsPolicy = "ClusterFirstWithHostNet";
        var term = new PodAffinityTermV1 { TopologyKey = "kubernetes.io/hostname", LabelSelector = new() { MatchLabels = { ["app.kubernetes.io/component"] = resource.Name.ToLowerInvariant() } } };
        pod.Affinity = new() { PodAntiAffinity = new() { RequiredDuringSchedulingIgnoredDuringExecution = { term } } };
    }

    private static Workload EngineWorkload(IResource resource, KubernetesResource target, Workload old, int replicas)
    {
        var name = resource.Name.ToLowerInvariant();
        var labels = new Dictionary<string, string>(old.PodTemplate.Metadata.Labels);
        if (resource.TryGetLastAnnotation<SpanAnnotation>(out var span))
        {
            // Clients talk to the leader alone; workers answer no HTTP.
            if (target.Service is { } service) service.Spec.Selector["leaderworkerset.sigs.k8s.io/worker-index"] = "0";
            var template = new LeaderWorkerTemplate { Size = span.Nodes, LeaderTemplate = old.PodTemplate, WorkerTemplate = WithoutProbes(old.PodTemplate) };
            return new LeaderWorkerSet { Metadata = { Name = name, Labels = labels }, Spec = { Replicas = replicas, LeaderWorkerTemplate = template } };
        }
        var headless = $"{name}-headless";
        target.AdditionalResources.Add(new Service
        {
            Metadata = { Name = headless, Labels = labels },
            Spec = { ClusterIp = "None", PublishNotReadyAddresses = true, Selector = new(labels) },
        });
        return new StatefulSet
        {
            Metadata = { Name = $"{name}-statefulset", Labels = labels },
            Spec = { ServiceName = headless, PodManagementPolicy = "Parallel", Replicas = replicas, Selector = { MatchLabels = new(labels) }, Template = old.PodTemplate },
        };
    }

    private static PodTemplateSpecV1 WithoutProbes(PodTemplateSpecV1 leader)
    {
        var worker = new PodTemplateSpecV1 { Metadata = { Labels = new(leader.Metadata.Labels) } };
        var (from, to) = (leader.Spec, worker.Spec);
        foreach (var container in from.Containers) to.Containers.Add(WithoutProbes(container));
        foreach (var volume in from.Volumes) to.Volumes.Add(volume);
        foreach (var toleration in from.Tolerations) to.Tolerations.Add(toleration);
        foreach (var (key, value) in from.NodeSelector) to.NodeSelector[key] = value;
        (to.SecurityContext, to.Affinity, to.HostNetwork, to.DnsPolicy) = (from.SecurityContext, from.Affinity, from.HostNetwork, from.DnsPolicy);
        to.TerminationGracePeriodSeconds = from.TerminationGracePeriodSeconds;
        return worker;
    }

    private static ContainerV1 WithoutProbes(ContainerV1 leader)
    {
        var worker = new ContainerV1 { Name = leader.Name, Image = leader.Image, ImagePullPolicy = leader.ImagePullPolicy, Resources = leader.Resources, SecurityContext = leader.SecurityContext };
        worker.Command.AddRange(leader.Command);
        worker.Args.AddRange(leader.Args);
        worker.Env.AddRange(leader.Env);
        worker.EnvFrom.AddRange(leader.EnvFrom);
        worker.Ports.AddRange(leader.Ports);
        worker.VolumeMounts.AddRange(leader.VolumeMounts);
        return worker;
    }

    private static void AddBudget(IResource resource, KubernetesResource target)
    {
        var labels = target.Workload!.Metadata.Labels;
        target.AdditionalResources.Add(new PodDisruptionBudget
        {
            Metadata = { Name = $"{resource.Name.ToLowerInvariant()}-budget", Labels = new(labels) },
            Spec = { Selector = { MatchLabels = new(labels) } },
        });
    }

    private static void AddScaling(IResource resource, KubernetesResource target, AutoscalingAnnotation scaling, int replicas)
    {
        var workload = target.Workload!;
        if (workload is StatefulSet stateful) stateful.Spec.Replicas = null;      // an upgrade must not undo what the scaler did
        var name = resource.Name.ToLowerInvariant();
        target.AdditionalResources.Add(new ScaledObject
        {
            Metadata = { Name = $"{name}-scaling", Labels = new(workload.Metadata.Labels) },
            Spec =
            {
                ScaleTargetRef = { ApiVersion = workload.ApiVersion!, Kind = workload.Kind!, Name = workload.Metadata.Name },
                MinReplicaCount = replicas,
                MaxReplicaCount = scaling.Max,
                CooldownPeriod = 300,
                Triggers =
                [
                    new()
                    {
                        Type = "prometheus",
                        Metadata =
                        {
                            ["serverAddress"] = scaling.Prometheus,
                            ["query"] = $$"""sum(requests_waiting{pod=~"{{name}}-.*"})""",
                            ["threshold"] = scaling.WaitingPerEngine.ToString(CultureInfo.InvariantCulture),
                        },
                    },
                ],
            },
        });
    }

    private static PodSecurityContextV1 AsUser(PodSecurityContextV1? security, long user)
    {
        security ??= new();
        (security.RunAsUser, security.FsGroup, security.RunAsNonRoot) = (user, user, true);
        return security;
    }
}
