using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.Hosting.Redis;

namespace Aspire.Hosting;

/// <summary>Adds Redis.</summary>
public static class RedisBuilderExtensions
{
    private const string DataFolder = "/data";

    public static IResourceBuilder<RedisResource> AddRedis(this IDistributedApplicationBuilder builder, string name, int? port) => builder.AddRedis(name, port, password: null);

    /// <summary>The password is generated unless given; clients get it with the connection string.</summary>
    public static IResourceBuilder<RedisResource> AddRedis(this IDistributedApplicationBuilder builder, string name, int? port = null, IResourceBuilder<ParameterResource>? password = null)
    {
        var secret = password?.Resource ?? ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
        var resource = new RedisResource(name, secret);
        var check = $"{name}_check";
        builder.Services.AddHealthChecks().AddCheck(check, new RedisHealthCheck(resource));
        return builder.AddResource(resource)
            .WithEndpoint(port: port, targetPort: 6379, name: RedisResource.PrimaryEndpointName)
            .WithAnnotation(new ContainerImageAnnotation { Registry = "docker.io", Image = "library/redis", Tag = "8.2" })
            .WithHealthCheck(check)
            .With(r => r.Resource.Entrypoint = "/bin/sh")
            .WithEnvironment(context =>
            {
                if (resource.PasswordParameter is { } used) context.EnvironmentVariables["REDIS_PASSWORD"] = used;
            })
            .WithArgs(context => AddServerArguments(resource, context));
    }

    public static IResourceBuilder<RedisResource> WithDataVolume(this IResourceBuilder<RedisResource> builder, string? name = null, bool isReadOnly = false)
    {
        var volume = name ?? $"{builder.ApplicationBuilder.Environment.ApplicationName.ToLowerInvariant().Replace('.', '-')}-{builder.Resource.Name}-data";
        builder.WithAnnotation(new ContainerMountAnnotation(volume, DataFolder, ContainerMountType.Volume, isReadOnly));
        return isReadOnly ? builder : builder.WithDefaultPersistence();
    }

    public static IResourceBuilder<RedisResource> WithDataBindMount(this IResourceBuilder<RedisResource> builder, string source, bool isReadOnly = false)
    {
        var folder = Path.GetFullPath(Path.Combine(builder.ApplicationBuilder.AppHostDirectory, source));
        builder.WithAnnotation(new ContainerMountAnnotation(folder, DataFolder, ContainerMountType.BindMount, isReadOnly));
        return isReadOnly ? builder : builder.WithDefaultPersistence();
    }

    /// <summary>Saves to disk after this many changed keys within the interval (60 s).</summary>
    public static IResourceBuilder<RedisResource> WithPersistence(this IResourceBuilder<RedisResource> builder, TimeSpan? interval = null, long keysChangedThreshold = 1) =>
        builder.WithAnnotation(new RedisPersistenceAnnotation(interval ?? TimeSpan.FromSeconds(60), keysChangedThreshold), ResourceAnnotationMutationBehavior.Replace);

    public static IResourceBuilder<RedisResource> WithHostPort(this IResourceBuilder<RedisResource> builder, int? port) =>
        builder.WithEndpoint(RedisResource.PrimaryEndpointName, endpoint => endpoint.Port = port);

    /// <summary>Null turns authentication off.</summary>
    public static IResourceBuilder<RedisResource> WithPassword(this IResourceBuilder<RedisResource> builder, IResourceBuilder<ParameterResource>? password)
    {
        builder.Resource.SetPassword(password?.Resource);
        return builder;
    }

    private static IResourceBuilder<RedisResource> WithDefaultPersistence(this IResourceBuilder<RedisResource> builder) =>
        builder.Resource.HasAnnotationOfType<RedisPersistenceAnnotation>() ? builder : builder.WithPersistence();

    private static IResourceBuilder<RedisResource> With(this IResourceBuilder<RedisResource> builder, Action<IResourceBuilder<RedisResource>> action)
    {
        action(builder);
        return builder;
    }

    /// <summary>Arguments of the container's shell. A process of this machine is configured by <see cref="RedisProcess"/> instead.</summary>
    private static void AddServerArguments(RedisResource resource, CommandLineArgsCallbackContext context)
    {
        var command = "redis-server";
        if (resource.PasswordParameter is not null) command += " --requirepass $REDIS_PASSWORD";
        if (resource.TryGetLastAnnotation<RedisPersistenceAnnotation>(out var persistence))
        {
            command += string.Create(CultureInfo.InvariantCulture, $" --save {persistence.Interval.TotalSeconds} {persistence.KeysChangedThreshold}");
        }
        context.Args.Add("-c");
        context.Args.Add(command);
    }
}
