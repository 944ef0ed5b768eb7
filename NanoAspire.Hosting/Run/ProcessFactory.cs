using System.Reflection;
using System.Security.Cryptography;
using NanoAspire.Hosting.Redis;

namespace NanoAspire.Hosting.Run;

/// <summary>Turns a resource into the process that runs it here, or says that nothing here can.</summary>
internal sealed class ProcessFactory(ProcessStarter starter, DistributedApplicationExecutionContext execution, ResourceLoggerService logs, HostIdentity host) : IAsyncDisposable
{
    private string? _redisServer;
    private string? _containerRuntime;
    private ContainerNetwork? _network;

    public ValueTask DisposeAsync() => _network?.DisposeAsync() ?? default;

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
        if (_containerRuntime is not null)
        {
            var keep = needRuntime.Any(PersistentContainer.IsPersistent);
            var name = $"nanoaspire-{(keep ? host.Digest : RandomNumberGenerator.GetHexString(8, lowercase: true))}";
            _network = new ContainerNetwork(_containerRuntime, name, keep, needRuntime.ToHashSet(), Warn);
            return [];

            void Warn(string line)
            {
                foreach (var container in needRuntime) logs.Write(container.Name, line, isError: true);
            }
        }
        return [.. needRuntime.OfType<RedisResource>().Select(r => ((IResource)r, "no redis-server or valkey-server on the PATH, and no container runtime"))];
    }

    /// <summary>Evaluates environment and arguments for the instance.</summary>
    public async Task<ProcessSpec> CreateAsync(ResourceInstance instance, CancellationToken ct)
    {
        var resource = instance.Resource;
        if (resource is RedisResource redis && _redisServer is not null) return await RedisProcess.CreateAsync(redis, instance, _redisServer, ct).ConfigureAwait(false);

        var network = _network is not null && _network.Has(resource) ? _network : null;
        if (network is not null) await network.EnsureAsync(ct).ConfigureAwait(false);
        var values = new ValueProviderContext { ExecutionContext = execution, Caller = resource, Instance = instance, Containers = network };
        var environment = await ResourceEnvironment.VariablesAsync(resource, values, execution, logs, ct).ConfigureAwait(false);
        var arguments = await ResourceEnvironment.ArgumentsAsync(resource, values, execution, logs, ct).ConfigureAwait(false);
        return resource switch
        {
            ProjectResource project => ProjectProcess.Create(project, starter.Dotnet, host.Assembly, arguments, environment),
            ExecutableResource executable => new ProcessSpec(executable.Command, arguments, executable.WorkingDirectory, environment),
            _ when _containerRuntime is not null && network is not null => await ContainerAsync(resource, instance, _containerRuntime, network, values, arguments, environment, ct).ConfigureAwait(false),
            _ => throw new DistributedApplicationException($"container '{resource.Name}' needs docker or podman, and neither answers on this machine"),
        };
    }

    private async Task<ProcessSpec> ContainerAsync(IResource container, ResourceInstance instance, string runtime, ContainerNetwork network, ValueProviderContext values,
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, CancellationToken ct)
    {
        await BuildAsync(container, instance, runtime, values, ct).ConfigureAwait(false);
        var context = new ContainerRuntimeArgsCallbackContext([], ct) { Logger = logs.GetLogger(container) };
        foreach (var annotation in container.Annotations.OfType<ContainerRuntimeArgsCallbackAnnotation>().ToArray()) await annotation.Callback(context).ConfigureAwait(false);
        var runtimeArguments = new List<string>();
        foreach (var value in context.Args)
        {
            if (await ResourceEnvironment.ResolveAsync(value, values, ct).ConfigureAwait(false) is { } text) runtimeArguments.Add(text);
        }
        var persistent = PersistentContainer.IsPersistent(container);
        var containerName = ContainerProcess.NameOf(container, persistent ? host.Digest : instance.Suffix);
        var options = ContainerProcess.Options(container, containerName, network, runtimeArguments, arguments, environment);
        return persistent
            ? await PersistentContainer.EnsureAsync(runtime, containerName, options, environment, spec => RunAsync(spec, instance, ct), ct).ConfigureAwait(false)
            : ContainerProcess.Create(runtime, containerName, options, environment);
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
        var (code, words) = await RunAsync(build, instance, ct).ConfigureAwait(false);
        if (code != 0) throw new DistributedApplicationException($"building the image of '{container.Name}' failed with code {code}: {words?.Trim()}");
    }

    /// <summary>A step before the start, its output in the resource's log.</summary>
    private async Task<(int Code, string? LastWords)> RunAsync(ProcessSpec spec, ResourceInstance instance, CancellationToken ct)
    {
        using var process = await starter.StartAsync(spec, (line, _) => logs.Write(instance.Id, line, isError: false)).ConfigureAwait(false);
        using var stop = ct.Register(process.Kill);
        var code = await process.Exited.ConfigureAwait(false);
        ct.ThrowIfCancellationRequested();
        return (code, process.LastWords);
    }
}

/// <summary>Which application this is: its assembly, if it has one, and a short digest that is the same in every run of it.</summary>
internal sealed record HostIdentity(Assembly? Assembly, string Digest);
