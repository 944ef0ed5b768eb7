using System.Globalization;
using Aspire.Hosting.Docker.Resources.ComposeNodes;
using Aspire.Hosting.Docker.Resources.ServiceNodes.Swarm;

namespace NanoAspire.AppHost.Deployment;

/// <summary>GPUs and shared memory, in the words of the compose specification.</summary>
internal static class ComposeDevices
{
    public static void Apply(IResource resource, Service service, int firstGpu)
    {
        if (resource.TryGetLastAnnotation<GpuAnnotation>(out var gpus))
        {
            // By number and not by count: two services with a count would both get the first ones.
            var devices = new DeviceReservation { Driver = "nvidia", Capabilities = ["gpu"], DeviceIds = [.. Enumerable.Range(firstGpu, gpus.Count).Select(gpu => gpu.ToString(CultureInfo.InvariantCulture))] };
            service.Deploy ??= new();
            service.Deploy.Resources = new() { Reservations = new() { Devices = [devices] } };
        }
        if (resource.TryGetLastAnnotation<SharedMemoryAnnotation>(out var memory)) service.ShmSize = memory.Size.Replace("i", "", StringComparison.Ordinal).ToLowerInvariant() + "b";
    }
}
