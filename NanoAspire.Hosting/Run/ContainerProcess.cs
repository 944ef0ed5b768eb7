using System.Diagnostics;
using System.Globalization;

namespace NanoAspire.Hosting.Run;

/// <summary>A container as a process: the runtime's client stays in the foreground, so its output, signals and exit code are the container's.</summary>
internal static class ContainerProcess
{
    public static ProcessSpec Create(IResource container, ResourceInstance instance, string runtime, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        if (!container.TryGetContainerImageName(out var image)) throw new DistributedApplicationException($"container '{container.Name}' has no image");
        var name = $"{container.Name}-{instance.Suffix}";
        var command = new List<string> { "run", "--rm", "--init", "--name", name, "--add-host", "host.docker.internal:host-gateway" };
        foreach (var endpoint in container.Annotations.OfType<EndpointAnnotation>())
        {
            command.AddRange(["-p", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{endpoint.AllocatedEndpoint!.Port}:{endpoint.TargetPort}")]);
        }
        foreach (var mount in container.Annotations.OfType<ContainerMountAnnotation>())
        {
            var type = mount.Type == ContainerMountType.BindMount ? "bind" : "volume";
            var source = string.IsNullOrEmpty(mount.Source) ? "" : $",source={mount.Source}";
            command.AddRange(["--mount", $"type={type}{source},target={mount.Target}{(mount.IsReadOnly ? ",readonly" : "")}"]);
        }
        foreach (var variable in environment.Keys) command.AddRange(["-e", variable]);      // the value comes from the client's own environment
        if (container is ContainerResource { Entrypoint: { Length: > 0 } entrypoint }) command.AddRange(["--entrypoint", entrypoint]);
        command.Add(image);
        command.AddRange(arguments);
        return new ProcessSpec(runtime, command, Environment.CurrentDirectory, environment) { CleanUp = () => Remove(runtime, name) };
    }

    /// <summary>A client that was killed leaves its container behind.</summary>
    private static void Remove(string runtime, string name)
    {
        using var process = Process.Start(new ProcessStartInfo(runtime, ["rm", "--force", name]) { RedirectStandardOutput = true, RedirectStandardError = true });
        process?.WaitForExit(TimeSpan.FromSeconds(10));
    }
}
