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
            _ when _containerRuntime is not null => ContainerProcess.Create(resource, instance, _containerRuntime, arguments, environment),
            _ => throw new DistributedApplicationException($"container '{resource.Name}' needs docker or podman, and neither answers on this machine"),
        };
    }
}
