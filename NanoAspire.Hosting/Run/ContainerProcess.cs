using System.Diagnostics;
using System.Globalization;

namespace NanoAspire.Hosting.Run;

/// <summary>A container as a process: the runtime's client stays in the foreground, so its output, signals and exit code are the container's.</summary>
internal static class ContainerProcess
{
    /// <summary>The container as the foreground process of its client; it is gone with it.</summary>
    public static ProcessSpec Create(string runtime, string name, IReadOnlyList<string> options, IReadOnlyDictionary<string, string> environment) =>
        new(runtime, ["run", "--rm", .. options], Environment.CurrentDirectory, environment) { CleanUp = () => Remove(runtime, name) };

    public static string NameOf(IResource container, string suffix) => container.TryGetLastAnnotation<ContainerNameAnnotation>(out var named) ? named.Name : $"{container.Name}-{suffix}";

    /// <summary>What follows <c>run</c> or <c>create</c>. Values of variables are not in it: the client takes them from its own environment.</summary>
    /// <exception cref="DistributedApplicationException">The container has no image.</exception>
    public static List<string> Options(IResource container, string name, ContainerNetwork network, IReadOnlyList<string> runtimeArguments,
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var image = ImageOf(container);
        var command = new List<string> { "--init", "--name", name };
        if (!runtimeArguments.Any(a => a.StartsWith("--net", StringComparison.Ordinal)))       // its own choice of a network
        {
            command.AddRange(["--network", network.Name, "--network-alias", container.Name, "--network-alias", ContainerNetwork.AliasOf(container)]);
            command.AddRange(["--add-host", $"{ContainerNetwork.HostName}:{network.HostAddress}"]);
        }
        if (container.TryGetLastAnnotation<ContainerImagePullPolicyAnnotation>(out var pull) && pull.ImagePullPolicy != ImagePullPolicy.Default)
        {
            command.AddRange(["--pull", pull.ImagePullPolicy == ImagePullPolicy.Always ? "always" : "missing"]);
        }
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
        foreach (var variable in environment.Keys) command.AddRange(["-e", variable]);
        if (container is ContainerResource { Entrypoint: { Length: > 0 } entrypoint }) command.AddRange(["--entrypoint", entrypoint]);
        command.AddRange(runtimeArguments);
        command.Add(image);
        command.AddRange(arguments);
        return command;
    }

    /// <summary>The build that has to come first; null where the image is there already.</summary>
    /// <param name="container">The resource.</param>
    /// <param name="runtime">The tool.</param>
    /// <param name="buildArguments">Values of <see cref="DockerfileBuildAnnotation.BuildArguments"/>; null takes the variable of the host's environment.</param>
    public static ProcessSpec? CreateBuild(IResource container, string runtime, IReadOnlyDictionary<string, string?> buildArguments)
    {
        if (!container.TryGetLastAnnotation<DockerfileBuildAnnotation>(out var dockerfile)) return null;
        var command = new List<string> { "build", "--tag", ImageOf(container), "--file", dockerfile.DockerfilePath };
        if (dockerfile.Stage is { Length: > 0 } stage) command.AddRange(["--target", stage]);
        foreach (var (name, value) in buildArguments) command.AddRange(["--build-arg", value is null ? name : $"{name}={value}"]);
        command.Add(dockerfile.ContextPath);
        return new ProcessSpec(runtime, command, dockerfile.ContextPath, new Dictionary<string, string>());
    }

    private static string ImageOf(IResource container) => container.TryGetContainerImageName(out var image)
        ? image
        : throw new DistributedApplicationException($"container '{container.Name}' has no image");

    /// <summary>A client that was killed leaves its container behind.</summary>
    private static void Remove(string runtime, string name)
    {
        using var process = Process.Start(new ProcessStartInfo(runtime, ["rm", "--force", name]) { RedirectStandardOutput = true, RedirectStandardError = true });
        process?.WaitForExit(TimeSpan.FromSeconds(10));
    }
}
