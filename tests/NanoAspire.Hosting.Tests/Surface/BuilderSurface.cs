using System.Net.Sockets;
using Aspire.Hosting.Pipelines;
using Aspire.Hosting.Publishing;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Hosting.Tests.Surface;

/// <summary>The words of an application's description as Aspire 13.1 has them, arguments by their names. Nothing runs: that it compiles is the test.</summary>
internal static class BuilderSurface
{
    public static void Adding(IDistributedApplicationBuilder builder, IResourceBuilder<ParameterResource> parameter, ParameterDefault value)
    {
        IResourceBuilder<ProjectResource> project = builder.AddProject<Metadata>(name: "p");
        project = builder.AddProject<Metadata>(name: "p", launchProfileName: null);
        project = builder.AddProject<Metadata>(name: "p", configure: (ProjectResourceOptions o) => (o.LaunchProfileName, o.ExcludeLaunchProfile, o.ExcludeKestrelEndpoints) = ("http", true, true));
        project = builder.AddProject(name: "p", projectPath: "x.csproj");
        project = builder.AddProject(name: "p", projectPath: "x.csproj", launchProfileName: "http");
        project = builder.AddProject(name: "p", projectPath: "x.csproj", configure: o => { });
        IResourceBuilder<ExecutableResource> executable = builder.AddExecutable("e", "c", "w", "a", "b");
        executable = builder.AddExecutable(name: "e", command: "c", workingDirectory: "w", args: ["a"]);
        executable = builder.AddExecutable("e", "c", "w", parameter, 1);
        IResourceBuilder<ContainerResource> container = builder.AddContainer(name: "c", image: "i");
        container = builder.AddContainer(name: "c", image: "i", tag: "t");
        container = builder.AddDockerfile(name: "d", contextPath: "c", dockerfilePath: null, stage: null);
        parameter = builder.AddParameter(name: "p", secret: true);
        parameter = builder.AddParameter(name: "p", value: "v", publishValueAsDefault: true, secret: false);
        parameter = builder.AddParameter(name: "p", valueGetter: () => "v", publishValueAsDefault: true, secret: false);
        parameter = builder.AddParameter(name: "p", value: value, secret: true, persist: true);
        parameter = builder.AddParameterFromConfiguration(name: "p", configurationKey: "k", secret: true);
        parameter = parameter.WithDescription(description: "d", enableMarkdown: true);
        IResourceBuilder<IResourceWithConnectionString> configured = builder.AddConnectionString(name: "c", environmentVariableName: null);
        IResourceBuilder<ConnectionStringResource> connection = builder.AddConnectionString(name: "c", connectionStringExpression: ReferenceExpression.Create($"a{parameter}"));
        connection = builder.AddConnectionString(name: "c", connectionStringBuilder: b => b.Append($"a{parameter}"));
        IResourceBuilder<ExternalServiceResource> external = builder.AddExternalService(name: "e", url: "https://example.com/");
        external = builder.AddExternalService(name: "e", uri: new Uri("https://example.com/"));
        external = builder.AddExternalService(name: "e", urlParameter: parameter);
        external = external.WithHttpHealthCheck(path: "/", statusCode: 200);
        IResourceBuilder<RedisResource> redis = builder.AddRedis(name: "r", port: null, password: parameter);
        redis = builder.AddRedis("r");
        redis = builder.AddRedis(name: "r", port: 6379);
        redis = redis.WithDataVolume(name: null, isReadOnly: false).WithDataBindMount(source: "/s", isReadOnly: true)
            .WithPersistence(interval: TimeSpan.FromMinutes(1), keysChangedThreshold: 2).WithHostPort(port: 1).WithPassword(password: parameter);
        RedisResource made = new RedisResource(name: "r", password: parameter.Resource);
        _ = (new RedisResource(name: "r"), made.PrimaryEndpoint, made.Host, made.Port, made.PasswordParameter, made.ConnectionStringExpression, made.UriExpression, made.TlsEnabled);
        var generated = new GenerateParameterDefault { MinLength = 1, Lower = true, Upper = true, Numeric = true, Special = true, MinLower = 1, MinUpper = 1, MinNumeric = 1, MinSpecial = 1 };
        ParameterResource password = ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder: builder, name: "p", lower: true, upper: true, numeric: true, special: true,
            minLower: 0, minUpper: 0, minNumeric: 0, minSpecial: 0);
        password = ParameterResourceBuilderExtensions.CreateGeneratedParameter(builder: builder, name: "p", secret: true, parameterDefault: generated);
        password = ParameterResourceBuilderExtensions.CreateParameter(builder: builder, name: "p", secret: true);
        _ = (project, executable, container, configured, connection, external, redis, password);
    }

    public static void Endpoints(IResourceBuilder<ProjectResource> builder, IResourceBuilder<ParameterResource> parameter)
    {
        builder = builder.WithEndpoint(port: 1, targetPort: 2, scheme: "tcp", name: "n", env: "E", isProxied: false, isExternal: true, protocol: ProtocolType.Tcp);
        builder = builder.WithEndpoint(1, 2, "tcp", "n", "E", true, null);
        builder = builder.WithEndpoint(endpointName: "n", callback: (EndpointAnnotation e) => e.Port = 1, createIfNotExists: true);
        builder = builder.WithHttpEndpoint(port: 1, targetPort: 2, name: "n", env: "E", isProxied: true).WithHttpsEndpoint(port: 1, targetPort: 2, name: "n", env: "E", isProxied: true);
        builder = builder.WithExternalHttpEndpoints().AsHttp2Service();
        EndpointReference endpoint = builder.GetEndpoint(name: "http");
        endpoint = builder.GetEndpoint(name: "http", contextNetworkID: KnownNetworkIdentifiers.LocalhostNetwork);
        builder = builder.WithUrl(url: "u", displayText: "d").WithUrl($"{endpoint}/x", displayText: "d").WithUrl(url: ReferenceExpression.Create($"{endpoint}"), displayText: null);
        builder = builder.WithUrlForEndpoint(endpointName: "http", callback: (ResourceUrlAnnotation u) => u.DisplayText = "d");
        builder = builder.WithUrlForEndpoint(endpointName: "http", callback: (EndpointReference e) => new ResourceUrlAnnotation { Url = "/x" });
        builder = builder.WithUrls(callback: (ResourceUrlsCallbackContext context) => context.Urls.Clear());
        builder = builder.WithUrls(callback: (ResourceUrlsCallbackContext context) => Task.CompletedTask);
        _ = (builder, parameter);
    }

    public static void References(IResourceBuilder<ProjectResource> builder, IResourceBuilder<IResourceWithConnectionString> connection, IResourceBuilder<ExternalServiceResource> external,
        IResourceBuilder<ParameterResource> parameter, IResourceBuilder<RedisResource> redis, EndpointReference endpoint)
    {
        builder = builder.WithReference(source: connection, connectionName: "c", optional: true).WithReference(redis).WithReference(source: builder).WithReference(source: builder, name: "n");
        builder = builder.WithReference(endpointReference: endpoint).WithReference(externalService: external).WithReference(name: "n", uri: new Uri("http://x/"));
        builder = builder.WithReferenceEnvironment(flags: ReferenceEnvironmentInjectionFlags.ConnectionString | ReferenceEnvironmentInjectionFlags.ConnectionProperties |
            ReferenceEnvironmentInjectionFlags.ServiceDiscovery | ReferenceEnvironmentInjectionFlags.Endpoints | ReferenceEnvironmentInjectionFlags.None);
        builder = builder.WithEnvironment(name: "n", value: "v").WithEnvironment("n", (string?)null).WithEnvironment("n", $"a{parameter}b{endpoint}");
        builder = builder.WithEnvironment(name: "n", value: ReferenceExpression.Create($"{parameter}")).WithEnvironment(name: "n", callback: () => "v");
        builder = builder.WithEnvironment(name: "n", endpointReference: endpoint).WithEnvironment(name: "n", parameter: parameter);
        builder = builder.WithEnvironment(envVarName: "n", resource: connection).WithEnvironment(name: "n", externalService: external);
        builder = builder.WithEnvironment(callback: (EnvironmentCallbackContext c) => _ = (c.EnvironmentVariables["a"] = 1, c.ExecutionContext, c.Resource, c.Logger, c.CancellationToken));
        builder = builder.WithEnvironment(callback: (EnvironmentCallbackContext c) => Task.CompletedTask);
        builder = builder.WithEnvironment(name: "n", value: endpoint.Property(EndpointProperty.TargetPort));
        builder = builder.WithArgs("a", "b").WithArgs(1, parameter, endpoint).WithArgs(args: ["a"]);
        builder = builder.WithArgs(callback: (CommandLineArgsCallbackContext c) => _ = (c.Args, c.ExecutionContext, c.Resource, c.Logger, c.CancellationToken));
        builder = builder.WithArgs(callback: (CommandLineArgsCallbackContext c) => Task.CompletedTask);
        _ = builder;
    }

    public static void Lifecycle(IResourceBuilder<ProjectResource> builder, IResourceBuilder<IResource> dependency, EndpointReference endpoint)
    {
        builder = builder.WaitFor(dependency: dependency).WaitFor(dependency: dependency, waitBehavior: WaitBehavior.WaitOnResourceUnavailable);
        builder = builder.WaitForStart(dependency: dependency).WaitForStart(dependency: dependency, waitBehavior: WaitBehavior.StopOnResourceUnavailable);
        builder = builder.WaitForCompletion(dependency: dependency, exitCode: 1);
        builder = builder.WithHealthCheck(key: "k").WithHttpHealthCheck(path: "/", statusCode: 200, endpointName: "http");
        builder = builder.WithHttpHealthCheck(endpointSelector: () => endpoint, path: "/", statusCode: 200);
        builder = builder.WithHttpProbe(type: ProbeType.Liveness, path: "/", initialDelaySeconds: 1, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1, successThreshold: 1, endpointName: "http");
        builder = builder.WithExplicitStart().WithReplicas(replicas: 2).WithParentRelationship(parent: dependency).WithParentRelationship(parent: dependency.Resource);
        builder = builder.WithChildRelationship(child: dependency).WithChildRelationship(child: dependency.Resource);
        builder = builder.WithReferenceRelationship(resource: dependency.Resource).WithReferenceRelationship(resourceBuilder: dependency).WithRelationship(resource: dependency.Resource, type: "t");
        builder = builder.WithIconName(iconName: "i", iconVariant: IconVariant.Filled).ExcludeFromManifest().WithOtlpExporter().WithOtlpExporter(protocol: OtlpProtocol.Grpc);
        builder = builder.DisableForwardedHeaders().WithEndpointsInEnvironment(filter: (EndpointAnnotation e) => e.IsExternal);
        int[] numbers =
        [
            (int)WaitBehavior.WaitOnResourceUnavailable, (int)WaitBehavior.StopOnResourceUnavailable, (int)WaitType.WaitUntilHealthy, (int)WaitType.WaitForCompletion,
            (int)WaitType.WaitUntilStarted, (int)ProbeType.Startup, (int)ProbeType.Readiness, (int)ProbeType.Liveness, (int)OtlpProtocol.Grpc, (int)OtlpProtocol.HttpProtobuf,
        ];
        _ = (builder, numbers);
    }

    public static void Containers(IResourceBuilder<ContainerResource> builder, IResourceBuilder<ParameterResource> parameter, IResourceBuilder<ProjectResource> project, IResourceBuilder<ExecutableResource> executable)
    {
        builder = builder.WithImage(image: "i", tag: "t").WithImageTag(tag: "t").WithImageRegistry(registry: null).WithImageSHA256(sha256: "s").WithImagePullPolicy(pullPolicy: ImagePullPolicy.Always);
        builder = builder.WithEntrypoint(entrypoint: "e").WithVolume(name: "n", target: "/t", isReadOnly: true).WithVolume(target: "/t").WithBindMount(source: "/s", target: "/t", isReadOnly: true);
        builder = builder.WithContainerName(name: "n").WithLifetime(lifetime: ContainerLifetime.Session).WithContainerRuntimeArgs("a", "b");
        builder = builder.WithContainerRuntimeArgs(callback: (ContainerRuntimeArgsCallbackContext c) => c.Args.Add("a")).WithContainerRuntimeArgs(callback: c => Task.CompletedTask);
        builder = builder.WithDockerfile(contextPath: "c", dockerfilePath: null, stage: null).WithBuildArg(name: "n", value: 1).WithBuildArg("n", parameter).WithEndpointProxySupport(proxyEnabled: false);
        project = project.PublishAsDockerFile(configure: (IResourceBuilder<ContainerResource> c) => c.WithBuildArg("a", "b")).PublishAsDockerFile();
        executable = executable.PublishAsDockerFile().PublishAsDockerFile(configure: (IResourceBuilder<ContainerResource> c) => { });
        builder = builder.WithManifestPublishingCallback(callback: (ManifestPublishingContext c) => Write(c, builder.Resource)).WithManifestPublishingCallback(callback: (ManifestPublishingContext c) => { });
        _ = (builder, project, executable);
    }

    public static void Pipeline(IDistributedApplicationPipeline pipeline)
    {
        pipeline.AddStep(name: "s", action: (PipelineStepContext c) => Task.FromResult<object>((c.Model, c.ExecutionContext, c.Services, c.Logger, c.CancellationToken, c.ReportingStep)),
            dependsOn: WellKnownPipelineSteps.Build, requiredBy: new[] { WellKnownPipelineSteps.Publish });
        var step = new PipelineStep { Name = "t", Action = c => Task.CompletedTask, DependsOnSteps = [], RequiredBySteps = [], Tags = [], Description = "d", Resource = null };
        step.DependsOn(stepName: "s");
        step.DependsOn(step: step);
        step.RequiredBy(stepName: "s");
        step.RequiredBy(step: step);
        pipeline.AddStep(step: step);
        pipeline.AddPipelineConfiguration(callback: (PipelineConfigurationContext c) => Task.CompletedTask);
        string[] names =
        [
            WellKnownPipelineSteps.PublishPrereq, WellKnownPipelineSteps.Deploy, WellKnownPipelineSteps.DeployPrereq, WellKnownPipelineSteps.BuildPrereq, WellKnownPipelineSteps.Push,
            WellKnownPipelineSteps.PushPrereq, WellKnownPipelineSteps.ProcessParameters, WellKnownPipelineSteps.Diagnostics,
        ];
        _ = names;
    }

    private static async Task Write(ManifestPublishingContext context, ContainerResource container)
    {
        _ = (context.Writer, context.ManifestPath, context.ExecutionContext, context.CancellationToken, context.GetManifestRelativePath(path: "p"));
        context.WriteBindings(resource: container);
        context.WriteConnectionString(resource: container);
        await context.WriteEnvironmentVariablesAsync(resource: container);
        await context.WriteCommandLineArgumentsAsync(resource: container);
        await context.WriteContainerAsync(container: container);
        context.TryAddDependentResources(value: container);
    }

    private sealed class Metadata : IProjectMetadata
    {
        public string ProjectPath => "x.csproj";
    }
}
