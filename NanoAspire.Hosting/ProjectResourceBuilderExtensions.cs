using System.Globalization;
using NanoAspire.Hosting.Model;

namespace Aspire.Hosting;

/// <summary>Adds .NET projects.</summary>
public static class ProjectResourceBuilderExtensions
{
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name) where TProject : IProjectMetadata, new() =>
        builder.Add(name, new TProject(), new ProjectResourceOptions());

    /// <summary>A null profile name excludes launch profiles.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name, string? launchProfileName)
        where TProject : IProjectMetadata, new() => builder.Add(name, new TProject(), Named(launchProfileName));

    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name, Action<ProjectResourceOptions> configure)
        where TProject : IProjectMetadata, new() => builder.Add(name, new TProject(), Configured(configure));

    /// <summary>A relative path starts at the host's folder.</summary>
    public static IResourceBuilder<ProjectResource> AddProject(this IDistributedApplicationBuilder builder, string name, string projectPath) =>
        builder.Add(name, builder.Metadata(projectPath), new ProjectResourceOptions());

    public static IResourceBuilder<ProjectResource> AddProject(this IDistributedApplicationBuilder builder, string name, string projectPath, string? launchProfileName) =>
        builder.Add(name, builder.Metadata(projectPath), Named(launchProfileName));

    public static IResourceBuilder<ProjectResource> AddProject(this IDistributedApplicationBuilder builder, string name, string projectPath, Action<ProjectResourceOptions> configure) =>
        builder.Add(name, builder.Metadata(projectPath), Configured(configure));

    /// <summary>Runs several instances; connections to the project's endpoints are spread over them.</summary>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(replicas);
        return builder.WithAnnotation(new ReplicaAnnotation(replicas), ResourceAnnotationMutationBehavior.Replace);
    }

    /// <summary>Does not tell the published project that it stands behind a proxy.</summary>
    public static IResourceBuilder<ProjectResource> DisableForwardedHeaders(this IResourceBuilder<ProjectResource> builder) =>
        builder.WithAnnotation<DisableForwardedHeadersAnnotation>(ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Limits which endpoints go into <c>ASPNETCORE_URLS</c>.</summary>
    public static IResourceBuilder<ProjectResource> WithEndpointsInEnvironment(this IResourceBuilder<ProjectResource> builder, Func<EndpointAnnotation, bool> filter) =>
        builder.WithAnnotation(new EndpointEnvironmentFilterAnnotation(filter));

    /// <summary>Publishes the project as a container that is built from the Dockerfile in its folder. Without effect in a run.</summary>
    public static IResourceBuilder<T> PublishAsDockerFile<T>(this IResourceBuilder<T> builder, Action<IResourceBuilder<ContainerResource>>? configure = null)
        where T : ProjectResource
    {
        var project = builder.Resource.GetProjectMetadata().ProjectPath;
        PublishedContainerResource.Replace(builder, Path.GetDirectoryName(project) ?? throw new InvalidOperationException($"'{project}' has no folder."), configure);
        return builder;
    }

    private static IResourceBuilder<ProjectResource> Add(this IDistributedApplicationBuilder builder, string name, IProjectMetadata metadata, ProjectResourceOptions options)
    {
        var resource = builder.AddResource(new ProjectResource(name)).WithAnnotation(metadata);
        resource.WithOtlpExporter();
        if (builder.ExecutionContext.IsRunMode)
        {
            resource.WithEnvironment("LOGGING__CONSOLE__FORMATTERNAME", "simple")
                .WithEnvironment("LOGGING__CONSOLE__FORMATTEROPTIONS__SINGLELINE", "true")
                .WithEnvironment("DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION", "true")
                .WithEnvironment(context => context.EnvironmentVariables.TryAdd("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName));
        }
        ApplyLaunchProfile(resource, metadata, options);
        resource.WithEnvironment(context => AddListenAddresses(resource.Resource, context));
        return resource;
    }

    private static void ApplyLaunchProfile(IResourceBuilder<ProjectResource> resource, IProjectMetadata metadata, ProjectResourceOptions options)
    {
        if (options.ExcludeLaunchProfile)
        {
            resource.WithAnnotation(new ExcludeLaunchProfileAnnotation());
            return;
        }
        var builder = resource.ApplicationBuilder;
        if (options.LaunchProfileName is { } named) resource.WithAnnotation(new LaunchProfileAnnotation(named));
        var preferred = builder.Configuration["AppHost:DefaultLaunchProfileName"] ?? builder.Configuration["DOTNET_LAUNCH_PROFILE"];
        if (LaunchProfiles.Select(metadata, options.LaunchProfileName, preferred) is not var (profileName, profile)) return;
        if (builder.ExecutionContext.IsPublishMode)
        {
            if (string.IsNullOrEmpty(profile.ApplicationUrl)) return;
            resource.WithHttpEndpoint().WithHttpsEndpoint();
            return;
        }
        foreach (var endpoint in LaunchProfiles.Endpoints(profile)) resource.WithAnnotation(endpoint);
        resource.WithEnvironment(context =>
        {
            context.EnvironmentVariables.TryAdd("DOTNET_LAUNCH_PROFILE", profileName);
            foreach (var (key, value) in profile.EnvironmentVariables) context.EnvironmentVariables.TryAdd(key, Environment.ExpandEnvironmentVariables(value));
        });
        if (LaunchProfiles.Arguments(profile) is { Length: > 0 } args) resource.WithArgs(args);
    }

    /// <summary>Run: each instance its own URLs. Publish: the ports that the platform will map.</summary>
    private static void AddListenAddresses(ProjectResource project, EnvironmentCallbackContext context)
    {
        var filters = project.Annotations.OfType<EndpointEnvironmentFilterAnnotation>().ToArray();
        var endpoints = project.GetEndpoints().Where(e => e.EndpointAnnotation.IsHttp && filters.All(f => f.Filter(e.EndpointAnnotation))).ToArray();
        if (endpoints.Length == 0) return;
        if (context.ExecutionContext.IsPublishMode)
        {
            if (!project.HasAnnotationOfType<DisableForwardedHeadersAnnotation>()) context.EnvironmentVariables.TryAdd("ASPNETCORE_FORWARDEDHEADERS_ENABLED", "true");
            AddPorts(context, "HTTP_PORTS", endpoints.Where(e => e.IsHttp));
            AddPorts(context, "HTTPS_PORTS", endpoints.Where(e => e.IsHttps && (e.EndpointName != "https" || e.TargetPort is not null)));
            return;
        }
        var urls = new ReferenceExpressionBuilder();
        foreach (var endpoint in endpoints)
        {
            if (!urls.IsEmpty) urls.AppendLiteral(";");
            urls.AppendLiteral($"{endpoint.Scheme}://{endpoint.EndpointAnnotation.TargetHost}:");
            urls.AppendFormatted(endpoint.Property(EndpointProperty.TargetPort));
        }
        context.EnvironmentVariables["ASPNETCORE_URLS"] = urls.Build();
        if (endpoints.FirstOrDefault(e => e.IsHttps) is { } https) context.EnvironmentVariables["ASPNETCORE_HTTPS_PORT"] = https.Property(EndpointProperty.Port);
    }

    private static void AddPorts(EnvironmentCallbackContext context, string variable, IEnumerable<EndpointReference> endpoints)
    {
        var ports = new ReferenceExpressionBuilder();
        foreach (var endpoint in endpoints)
        {
            if (!ports.IsEmpty) ports.AppendLiteral(";");
            if (endpoint.TargetPort is { } fixedPort) ports.AppendLiteral(fixedPort.ToString(CultureInfo.InvariantCulture));
            else ports.AppendFormatted(endpoint.Property(EndpointProperty.TargetPort));
        }
        if (!ports.IsEmpty) context.EnvironmentVariables[variable] = ports.Build();
    }

    private static PathProjectMetadata Metadata(this IDistributedApplicationBuilder builder, string projectPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(projectPath);
        return new PathProjectMetadata(Path.GetFullPath(Path.Combine(builder.AppHostDirectory, projectPath.Replace('\\', Path.DirectorySeparatorChar))));
    }

    private static ProjectResourceOptions Named(string? launchProfileName) => new() { LaunchProfileName = launchProfileName, ExcludeLaunchProfile = launchProfileName is null };

    private static ProjectResourceOptions Configured(Action<ProjectResourceOptions> configure)
    {
        var options = new ProjectResourceOptions();
        configure(options);
        return options;
    }
}
