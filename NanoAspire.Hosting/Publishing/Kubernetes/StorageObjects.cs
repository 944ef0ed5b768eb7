using System.Globalization;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace NanoAspire.Hosting.Publishing.Kubernetes;

/// <summary>Turns the mounts of a container into volumes: named ones by the environment's storage type, folders of the host into folders of the node.</summary>
internal static class StorageObjects
{
    public static void Add(KubernetesResource target, PodSpecV1 pod, ContainerV1 container, Func<Dictionary<string, string>> labels)
    {
        var number = 0;
        foreach (var mount in target.TargetResource.Annotations.OfType<ContainerMountAnnotation>())
        {
            var name = VolumeName(mount, container.Name, number++);
            container.VolumeMounts.Add(new() { Name = name, MountPath = mount.Target, ReadOnly = mount.IsReadOnly ? true : null });
            if (mount.Type == ContainerMountType.BindMount)
            {
                pod.Volumes.Add(new() { Name = name, HostPath = new() { Path = mount.Source! } });
                continue;
            }
            switch (string.IsNullOrEmpty(mount.Source) ? "emptydir" : target.Parent.DefaultStorageType.ToLowerInvariant())
            {
                case "emptydir":
                    pod.Volumes.Add(new() { Name = name, EmptyDir = new() { SizeLimit = target.Parent.DefaultStorageSize } });
                    break;
                case "hostpath":
                    pod.Volumes.Add(new() { Name = name, HostPath = new() { Path = mount.Target, Type = "DirectoryOrCreate" } });
                    break;
                case "pvc" when target.Workload is StatefulSet stateful:
                    stateful.Spec.VolumeClaimTemplates.Add(Claim(name, target.Parent, labels));       // one a pod, under the pod's name
                    break;
                case "pvc":
                    var claim = Claim(KubernetesNames.Object(target.TargetResource, $"{name}-pvc"), target.Parent, labels);
                    target.AdditionalResources.Add(claim);
                    pod.Volumes.Add(new() { Name = name, PersistentVolumeClaim = new() { ClaimName = claim.Metadata.Name, ReadOnly = mount.IsReadOnly ? true : null } });
                    break;
                default:
                    throw new DistributedApplicationException($"Storage type '{target.Parent.DefaultStorageType}' of '{target.Parent.Name}' is not emptyDir, hostpath or pvc.");
            }
        }
    }

    private static PersistentVolumeClaim Claim(string name, KubernetesEnvironmentResource environment, Func<Dictionary<string, string>> labels)
    {
        var claim = new PersistentVolumeClaim
        {
            Metadata = { Name = name, Labels = labels() },
            Spec = { AccessModes = { environment.DefaultStorageReadWritePolicy }, Resources = new() { Requests = { ["storage"] = environment.DefaultStorageSize } } },
        };
        if (environment.DefaultStorageClassName is { } storageClass) claim.Spec.StorageClassName = storageClass;
        return claim;
    }

    private static string VolumeName(ContainerMountAnnotation mount, string container, int number)
    {
        if (mount.Type == ContainerMountType.BindMount || string.IsNullOrEmpty(mount.Source)) return string.Create(CultureInfo.InvariantCulture, $"{container}-mount-{number}");
        return new string([.. mount.Source.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]).Trim('-');
    }
}
