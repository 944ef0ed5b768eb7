using Aspire.Hosting.Docker.Resources.ComposeNodes;
using Aspire.Hosting.Docker.Resources.ServiceNodes;

namespace NanoAspire.AppHost.Deployment;

/// <summary>Puts the facts about a service into its compose service.</summary>
internal static class ComposePlacement
{
    private const string ModelsPath = "/models";

    /// <param name="resource">The service's resource.</param>
    /// <param name="service">As it would be written.</param>
    /// <param name="firstGpu">Number of the first GPU of the machine that no other service has.</param>
    /// <param name="build">The Dockerfile that makes its image, and the context, both as seen from the compose file.</param>
    /// <exception cref="DistributedApplicationException">The service needs what Compose cannot give.</exception>
    public static void Apply(IResource resource, Service service, int firstGpu, (string Context, string Dockerfile)? build)
    {
        if (resource.HasAnnotationOfType<SpanAnnotation>()) throw new DistributedApplicationException($"'{resource.Name}' spans several nodes: Compose has one, publish for kubernetes.");
        if (resource.HasAnnotationOfType<HostNetworkAnnotation>()) throw new DistributedApplicationException($"'{resource.Name}' asks for the host's network, where Compose has no names for the other services: publish for kubernetes.");
        if (resource.HasAnnotationOfType<GpuAnnotation>() && resource.TryGetLastAnnotation<ReplicaAnnotation>(out var replicas) && replicas.Replicas > 1)
        {
            throw new DistributedApplicationException($"'{resource.Name}' has {replicas.Replicas} replicas with GPUs: Compose would give all of them the same ones. Use one engine of a kind, or publish for kubernetes.");
        }
        if (build is { } image) service.Build = new Build { Context = image.Context, Dockerfile = image.Dockerfile };
        if (resource.TryGetLastAnnotation<ServiceAnnotation>(out var served))
        {
            service.Healthcheck = new Healthcheck
            {
                // The images have neither shell nor curl: the probe is a program of ours.
                Test = ["CMD", "dotnet", "/app/probe/NanoAspire.Probe.dll", served.Ready],
                Interval = "10s",
                Timeout = "5s",
                Retries = 3,
                StartPeriod = served.IsEngine ? "1800s" : "60s",
            };
            if (served.IsEngine) service.StopGracePeriod = "120s";
        }
        if (resource.TryGetLastAnnotation<ModelVolumeAnnotation>(out var model))
        {
            if (model.Claim is not null) throw new DistributedApplicationException($"'{resource.Name}' takes its model from a claim of Kubernetes ({model.Source}); for Compose give a folder.");
            service.AddVolume(new Volume { Name = "models", Type = "bind", Source = model.Source, Target = ModelsPath, ReadOnly = true });
        }
        if (resource.HasAnnotationOfType<RdmaAnnotation>())
        {
            service.Devices.Add("/dev/infiniband:/dev/infiniband");
            service.CapAdd.Add("IPC_LOCK");
            service.Ulimits["memlock"] = new Ulimit { Soft = -1, Hard = -1 };
            service.User = "0";                                  // added capabilities reach root alone
        }
        ComposeDevices.Apply(resource, service, firstGpu);
    }
}
