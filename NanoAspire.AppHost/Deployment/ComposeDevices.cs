using Aspire.Hosting.Docker.Resources.ComposeNodes;
using Aspire.Hosting.Docker.Resources.ServiceNodes.Swarm;

namespace NanoAspire.AppHost.Deployment;

/// <summary>GPUs and shared memory, in the words of the compose specification.</summary>
internal static class ComposeDevices
{
    public static void Apply(IResource resource, Service service)
    {
        if (resource.TryGetLastAnnotation<GpuAnnotation>(out var gpus))
        {
            service.Deploy ??= new();
            service.Deploy.Resources = new() { Reservations = new() { Devices = [new DeviceReservation { Driver = "nvidia", Count = gpus.Count, Capabilities = ["gpu"] }] } };
        }
        if (resource.TryGetLastAnnotation<SharedMemoryAnnotation>(out var memory)) service.ShmSize = memory.Size.Replace("i", "", StringComparison.Ordinal).ToLowerInvariant() + "b";
    }
}
