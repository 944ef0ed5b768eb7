using System.Reflection;
using NanoAspire.Hosting.Redis;

namespace NanoAspire.Hosting.Run;

/// <summary>Turns a resource into the process that runs it here, or says that nothing here can.</summary>
internal sealed class ProcessFactory(ProcessStarter starter, DistributedApplicationExecutionContext execution, ResourceLoggerService logs, Assembly? host)
{
    private string? _redisServer;
    private string? _containerRuntime;

    public static bool Runs(IResource resource) => resource is ProjectResource or ExecutableResource || resource.IsContainer();

    /// <summary>Looks for the tools that the model needs, before anything is started.</summary>
    /// <returns>Resources that cannot run on this machine, with the reason.</returns>
    public async Task<IReadOnlyList<(IResource Resource, string Reason)>> FindToolsAsync(IEnumerable<IResource> resources, string? preferredRuntime, CancellationToken ct)
    {
        var containers = resources.Where(r => r.IsContainer()).ToArray();
        if (containers.Length == 0) return [];
        _redisServer = RedisProcess.FindServer();
        var needRuntime = containers.Where(c => c is not RedisResource || _redisServer is null).ToArray();
        if (needRuntime.Length == 0) return [];
        _containerRuntime = await ContainerRuntime.FindAsync(preferredRuntime, ct).ConfigureAwait(false);
        if (_containerRuntime is not null) return [];
        return [.. needRuntime.OfType<RedisResource>().Select(r => ((IResource)r, "no redis-server or valkey-server on the PATH, and no container runtime"))];
    }

    /// <summary>Evaluates environment and arguments for the instance.</summary>
    public async Task<ProcessSpec> CreateAsync(ResourceInstance instance, CancellationToken ct)
    {
        var resource = instance.Resource;
        if (resource is RedisResource redis && _redisServer is not null) return await RedisProcess.CreateAsync(redis, instance, _redisServer, ct).ConfigureAwait(false);

        var values = new ValueProviderContext { ExecutionContext = execution, Caller = resource, Instance = instance };
        var environment = await ResourceEnvironment.VariablesAsync(resource, values, execution, logs, ct).ConfigureAwait(false);
        var arguments = await ResourceEnvironment.ArgumentsAsync(resource, values, execution, logs, ct).ConfigureAwait(false);
        return resource switch
        {
            ProjectResource project => ProjectProcess.Create(project, starter.Dotnet, host, arguments, environment),
            ExecutableResource executable => new ProcessSpec(executable.Command, arguments, executable.WorkingDirectory, environment),
            _ when _containerRuntime is not null => await ContainerAsync(resource, instance, _containerRuntime, values, arguments, environment, ct).ConfigureAwait(false),
            _ => throw new DistributedApplicationException($"container '{resource.Name}' needs docker or podman, and neither answers on this machine"),
        };
    }

    private async Task<ProcessSpec> ContainerAsync(IResource container, ResourceInstance instance, string runtime, ValueProviderContext values,
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, CancellationToken ct)
    {
        if (container.TryGetLastAnnotation<ContainerLifetimeAnnotation>(out var lifetime) && lifetime.Lifetime == ContainerLifetime.Persistent)
        {
            logs.Write(instance.Id, "A persistent container is started and removed with the application here; what it must keep belongs in a volume.", isError: false);
        }
        await BuildAsync(container, instance, runtime, values, ct).ConfigureAwait(false);
        var context = new ContainerRuntimeArgsCallbackContext([], ct) { Logger = logs.GetLogger(container) };
        foreach (var annotation in container.Annotations.OfType<ContainerRuntimeArgsCallbackAnnotation>().ToArray()) await annotation.Callback(context).ConfigureAwait(false);
        var runtimeArguments = new List<string>();
        foreach (var value in context.Args)
        {
            if (await ResourceEnvironment.ResolveAsync(value, values, ct).ConfigureAwait(false) is { } text) runtimeArguments.Add(text);
        }
        return ContainerProcess.Create(container, instance, runtime, runtimeArguments, arguments, environment);
    }

    /// <exception cref="DistributedApplicationException">The build failed; its output stands in the resource's log.</exception>
    private async Task BuildAsync(IResource container, ResourceInstance instance, string runtime, ValueProviderContext values, CancellationToken ct)
    {
        var buildArguments = new Dictionary<string, string?>();
        foreach (var (name, value) in container.TryGetLastAnnotation<DockerfileBuildAnnotation>(out var dockerfile) ? dockerfile.BuildArguments : [])
        {
            buildArguments[name] = await ResourceEnvironment.ResolveAsync(value, values, ct).ConfigureAwait(false);
        }
        if (ContainerProcess.CreateBuild(container, runtime, buildArguments) is not { } build) return;
        using var process = await starter.StartAsync(build, (line, _) => logs.Write(instance.Id, line, isError: false)).ConfigureAwait(false);
        using var stop = ct.Register(process.Kill);
        var code = await process.Exited.ConfigureAwait(false);
        ct.ThrowIfCancellationRequested();
        if (code != 0) throw new DistributedApplicationException($"building the image of '{container.Name}' failed with code {code}: {process.LastWords?.Trim()}");
    }
}
