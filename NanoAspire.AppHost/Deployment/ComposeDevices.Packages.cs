using System.Globalization;
using Aspire.Hosting.Docker.Resources.ComposeNodes;

namespace NanoAspire.AppHost.Deployment;

/// <summary>
/// GPUs and shared memory, as far as Aspire's own compose model goes: it knows neither device reservations nor <c>shm_size</c>,
/// so GPUs go by their names in the container device interface and <c>/dev/shm</c> is a mount.
/// </summary>
internal static class ComposeDevices
{
    public static void Apply(IResource resource, Service service, int firstGpu)
    {
        if (resource.TryGetLastAnnotation<GpuAnnotation>(out var gpus))
        {
            for (var gpu = firstGpu; gpu < firstGpu + gpus.Count; gpu++) service.Devices.Add(string.Create(CultureInfo.InvariantCulture, $"nvidia.com/gpu={gpu}"));
        }
        if (resource.TryGetLastAnnotation<SharedMemoryAnnotation>(out var memory)) service.Tmpfs.Add($"/dev/shm:size={memory.Size.Replace("i", "", StringComparison.Ordinal).ToLowerInvariant()}");
    }
}
