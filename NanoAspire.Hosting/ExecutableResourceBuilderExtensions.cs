namespace Aspire.Hosting;

/// <summary>Adds programs that are on this machine.</summary>
public static class ExecutableResourceBuilderExtensions
{
    /// <summary>A relative working directory starts at the host's folder.</summary>
    public static IResourceBuilder<ExecutableResource> AddExecutable(this IDistributedApplicationBuilder builder, string name, string command,
        string workingDirectory, params string[]? args) => builder.AddExecutable(name, command, workingDirectory, (object[]?)args);

    /// <inheritdoc cref="AddExecutable(IDistributedApplicationBuilder, string, string, string, string[])"/>
    public static IResourceBuilder<ExecutableResource> AddExecutable(this IDistributedApplicationBuilder builder, string name, string command,
        string workingDirectory, params object[]? args)
    {
        var folder = Path.GetFullPath(Path.Combine(builder.AppHostDirectory, workingDirectory));
        var resource = builder.AddResource(new ExecutableResource(name, command, folder));
        return args is { Length: > 0 } ? resource.WithArgs(args) : resource;
    }

    /// <summary>Publishes the program as a container that is built from the Dockerfile in its working directory. Without effect in a run.</summary>
    public static IResourceBuilder<T> PublishAsDockerFile<T>(this IResourceBuilder<T> builder) where T : ExecutableResource => builder.PublishAsDockerFile(configure: null);

    /// <inheritdoc cref="PublishAsDockerFile{T}(IResourceBuilder{T})"/>
    public static IResourceBuilder<T> PublishAsDockerFile<T>(this IResourceBuilder<T> builder, Action<IResourceBuilder<ContainerResource>>? configure)
        where T : ExecutableResource
    {
        PublishedContainerResource.Replace(builder, builder.Resource.WorkingDirectory, configure);
        return builder;
    }
}
